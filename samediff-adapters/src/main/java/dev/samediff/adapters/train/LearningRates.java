package dev.samediff.adapters.train;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.Names;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Learning rates of groups of tensors; the schedule scales all of them alike. The first group whose pattern fits decides; of the others,
 * LoRA+ (Hayou et al. 2024) gives the second factors and vectors a larger rate, as PEFT's {@code create_loraplus_optimizer}: lora_B,
 * sorsa_B, sorsa_S, magnitudes, and whatever has one axis; biases have no weight decay then. Factors of embeddings keep the plan's
 * rate, where PEFT gives them 1e-6, with which they hardly train; a group gives them any.
 *
 * @param loraPlus learning rate of B by that of A; 1 for the same
 * @param groups peak learning rates by pattern
 */
public record LearningRates(double loraPlus, List<Group> groups) {
    /** The plan's learning rate for all. */
    public static final LearningRates SAME = new LearningRates(1, List.of());

    private static final Pattern SECOND = Pattern.compile(".*\\.(lora|sorsa)_(B|S|magnitude_vector)\\..*");

    /**
     * Tensors with a learning rate of their own.
     *
     * @param pattern of their names in the graph; {@code *} is any characters, as in {@code *.lora_B.*}
     * @param learningRate its peak; 0 keeps them as they are
     */
    public record Group(String pattern, double learningRate) {
        public Group {
            if (pattern.isBlank() || !(learningRate >= 0) || Double.isInfinite(learningRate)) {
                throw new InvalidInputException("the learning rate " + learningRate + " of the tensors `" + pattern
                        + "` is not possible; give a pattern of names, such as *.lora_B.*, and a number of 0 or more");
            }
        }

        /** Tells whether this is about a tensor; linear in the length of the name. */
        boolean fits(String name) {
            String[] parts = pattern.split("\\*", -1);
            if (parts.length == 1) {
                return name.equals(pattern);
            }
            String last = parts[parts.length - 1];
            if (!name.startsWith(parts[0])
                    || name.length() < parts[0].length() + last.length()
                    || !name.endsWith(last)) {
                return false;
            }
            int at = parts[0].length();
            for (int i = 1; i < parts.length - 1; i++) {
                int found = name.indexOf(parts[i], at);
                if (found < 0 || found + parts[i].length() > name.length() - last.length()) {
                    return false;
                }
                at = found + parts[i].length();
            }
            return true;
        }
    }

    /**
     * What the learning rate and the weight decay of a tensor are multiplied by.
     *
     * @param learning factor of the learning rate
     * @param decay factor of the weight decay, beside that of the learning rate
     */
    public record Factors(double learning, double decay) {
        /** The plan's own. */
        public static final Factors ONE = new Factors(1, 1);
    }

    public LearningRates {
        groups = List.copyOf(groups);
        if (!(loraPlus > 0) || Double.isInfinite(loraPlus)) {
            throw new InvalidInputException("the ratio " + loraPlus
                    + " of the learning rates of B and A (LoRA+) is not possible; give a number above 0, such as 16");
        }
    }

    /** Returns the factors of so many tensors that all have the plan's rate. */
    public static List<Factors> same(int count) {
        return Collections.nCopies(count, Factors.ONE);
    }

    /** Returns this with another ratio of B's rate to A's. */
    public LearningRates withLoraPlus(double ratio) {
        return new LearningRates(ratio, groups);
    }

    /** Returns this with one more group, which counts after those before it. */
    public LearningRates with(String pattern, double learningRate) {
        List<Group> more = new ArrayList<>(groups);
        more.add(new Group(pattern, learningRate));
        return new LearningRates(loraPlus, more);
    }

    /** Returns the factors of a tensor, for a plan's peak. */
    public Factors of(String name, INDArray tensor, double peak) {
        for (Group group : groups) {
            if (group.fits(name)) {
                return new Factors(group.learningRate() / peak, 1);
            }
        }
        if (loraPlus == 1) {
            return Factors.ONE;
        }
        boolean second = SECOND.matcher(name).matches() || tensor.rank() == 1;
        return second ? new Factors(loraPlus, name.endsWith(".bias") ? 0 : 1) : Factors.ONE;
    }

    /**
     * Refuses a group without tensors.
     *
     * @param names the trained tensors
     * @throws InvalidInputException that names the pattern, and the tensors there are
     */
    void requireUsed(Collection<String> names) {
        for (Group group : groups) {
            if (names.stream().noneMatch(group::fits)) {
                throw new InvalidInputException(
                        "no trained tensor is called like `" + group.pattern() + "`, which has the learning rate "
                                + group.learningRate() + "; there are " + Names.some(names));
            }
        }
    }

    /** Returns the parts as text; none where all rates are the plan's. */
    Map<String, String> description() {
        Map<String, String> parts = new TreeMap<>();
        if (loraPlus != 1) {
            parts.put("lora+", Double.toString(loraPlus));
        }
        if (!groups.isEmpty()) {
            parts.put("learning rates", groups.toString());
        }
        return parts;
    }
}
