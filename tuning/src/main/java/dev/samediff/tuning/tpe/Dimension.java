package dev.samediff.tuning.tpe;

/**
 * One direction of the unit cube.
 *
 * @param levels number of equally wide levels of a choice; 0 for a continuous direction
 */
public record Dimension(int levels) {}
