/**
 * Adapters inside existing Deeplearning4j networks: {@link dev.samediff.dl4j.AdapterTransfer} is the way in and out. An
 * adapted network is an ordinary {@code MultiLayerNetwork} or {@code ComputationGraph}.
 */
@NullMarked
package dev.samediff.dl4j;

import org.jspecify.annotations.NullMarked;
