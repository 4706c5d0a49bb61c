//! A mood as a plan of harmony, with the reason for each choice.
