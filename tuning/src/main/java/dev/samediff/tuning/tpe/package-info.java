/** The mathematics of the tree-structured Parzen estimator, in the unit cube; knows nothing of trials or Arbiter. */
@NullMarked
package dev.samediff.tuning.tpe;

import org.jspecify.annotations.NullMarked;
