"""Stays as time series: questions, a teacher, invented stays, formats, release."""
