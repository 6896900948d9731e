"""FEEL, the expression language of OMG DMN 1.5."""
