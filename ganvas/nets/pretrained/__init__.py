"""Networks with published weights, which never learn here."""
