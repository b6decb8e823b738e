/**
 * Configurations of adapted layers: what {@code MultiLayerConfiguration} and {@code ComputationGraphConfiguration} hold and
 * what their JSON and YAML say. What runs is in {@link dev.samediff.dl4j.layer}.
 */
@NullMarked
package dev.samediff.dl4j.conf;

import org.jspecify.annotations.NullMarked;
