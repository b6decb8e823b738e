/**
 * The engine of SameDiff's own operations, one by one: slower, and able to execute what no plan can be made of.
 *
 * <p>Belongs here: the order of operations, reused arrays, shortcuts for single operations. Does not belong here: anything about programs and plans.
 */
@NullMarked
package dev.samediff.adapters.engine.reference;

import org.jspecify.annotations.NullMarked;
