"""A class's digits: collected on printed sheets and by phones, each under its pupil's name.

names       a list of names → pupils, each with a folder of its own
sheet       the sheet as a form, and a page of it for each pupil as PDF
collect     scans and photographs of sheets → pictures of single digits
collection  the folder that they lie in: whose they are, and nothing twice
"""
