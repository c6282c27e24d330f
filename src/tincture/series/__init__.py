"""Stays as time series: questions, a teacher, invented stays, and networks (with torch)."""
