/** Which weights of DL4J's layers can be adapted, and how each is seen as a matrix. The only place that lists layer types. */
@NullMarked
package dev.samediff.dl4j.weight;

import org.jspecify.annotations.NullMarked;
