"""Evidence: histories that outlive retention, bundles for auditors, and the audit of a bundle."""
