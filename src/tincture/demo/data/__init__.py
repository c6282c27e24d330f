"""The embedded demonstration table: SUPPORT2, 9,105 seriously ill adults.

Study to Understand Prognoses and Preferences for Outcomes and Risks of Treatments (Knaus et al.
1995, Annals of Internal Medicine 122:191); from the Vanderbilt Biostatistics data sets (UCI
repository, id 880), CC BY 4.0. Outcome-derived columns were removed.
"""
