package dev.samediff.adapters;

/**
 * The tensors by which a method multiplies a layer instead of adding to its weight ((IA)^3). A layer has one of them.
 *
 * @param inputs short name of the vector [in] that the layer's input is multiplied by, element by element
 * @param outputs short name of the vector [out] that the layer's output is multiplied by, its bias with it
 */
public record Scales(String inputs, String outputs) {}
