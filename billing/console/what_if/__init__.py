"""The pages that compare a draft plan with past invoices."""
