package dev.samediff.adapters;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The start of an adapter on one layer.
 *
 * @param trainables tensors to train by their short name, in a fixed order: {@code lora_A [in,r], lora_B [r,out]} or
 *     {@code sorsa_A [in,r], sorsa_S [r], sorsa_B [r,out]}, float32. (PEFT's files hold their transposes.)
 * @param startsAtZero whether the branch is zero at the start (LoRA); otherwise the base weight must become the residual
 *     {@code W - delta(trainables)}, so that the layer's output does not change
 */
public record Factorization(Map<String, INDArray> trainables, boolean startsAtZero) {}
