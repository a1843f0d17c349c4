"""The experiments behind the book's empirical claims, and the registers that name them.

``claims/<NN-chapter>.toml`` lists the claims of a chapter; the functions in the modules of this
folder measure them. ``make claims`` runs them and stores what they return in
``book/_data/claims/``; the page *Claims* of the book shows it.
"""
