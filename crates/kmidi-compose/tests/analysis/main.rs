//! What is heard in songs, and what is made of progressions. One test program for all: it is linked once.
mod chords;
mod defects;
mod demo_songs;
mod diagnose;
mod keys;
mod reharm;
mod sections;
mod songs;
