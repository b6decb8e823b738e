/** Adapters inside existing Deeplearning4j networks. */
@NullMarked
package dev.samediff.dl4j;

import org.jspecify.annotations.NullMarked;
