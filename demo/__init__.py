"""Invented people, companies and cases: for trying the desk, and for filling a database for measuring. `lives` plays
each case with the real verbs of the desk under a moved clock; `fill` copies the played cases many times.
"""
