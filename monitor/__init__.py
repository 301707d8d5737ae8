"""From outcomes to numbers a person or Prometheus can read."""
