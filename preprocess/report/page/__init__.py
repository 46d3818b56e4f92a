"""The page: drawings of the figures, sections and markup."""
