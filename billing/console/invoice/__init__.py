"""An invoice as its reader sees it, each line opening into its steps."""
