package dev.samediff.dl4j.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OLora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.dl4j.AdapterTransfer;
import dev.samediff.dl4j.testing.Adapted;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffOutputLayer;
import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/** What the table of docs/dl4j.md says of one class of layers, found by trying it. */
final class LayerCells {
    static final String NOTHING = "–";
    static final String YES = "yes";

    private static final Map<String, UnaryOperator<Layer>> WRAPPERS = new LinkedHashMap<>();

    static {
        WRAPPERS.put("MaskZeroLayer", layer -> new MaskZeroLayer(layer, 0.0));
        WRAPPERS.put("LastTimeStep", LastTimeStep::new);
        WRAPPERS.put("TimeDistributed", TimeDistributed::new);
        WRAPPERS.put("Bidirectional", layer -> new Bidirectional(Bidirectional.Mode.ADD, layer));
        WRAPPERS.put("FrozenLayer", FrozenLayer::new);
        WRAPPERS.put("FrozenLayerWithBackprop", FrozenLayerWithBackprop::new);
    }

    private LayerCells() {}

    static List<Example> examples() {
        return Stream.of(
                        FlatExamples.all(),
                        SequenceExamples.all(),
                        ImageExamples.images(),
                        ImageExamples.volumes(),
                        OutputExamples.all())
                .flatMap(List::stream)
                .toList();
    }

    private static List<AdapterMethod> methods(Position position) {
        return position == Position.ADAPTED
                ? List.of(
                        Lora.rank(2),
                        Pissa.rank(1),
                        OLora.rank(2),
                        Sorsa.rank(2).withGamma(0.02))
                : List.of(Lora.rank(2), Pissa.rank(1));
    }

    /** Tries a position with every method. */
    static String cell(Example example, Position position) {
        boolean isBelow = position == Position.BELOW;
        if ((isBelow && example.out() == null) || (!isBelow && position != Position.ADAPTED && example.isInput())) {
            return NOTHING;
        }
        if (position != Position.ADAPTED && !isRunByDl4j(example, UnaryOperator.identity())) {
            return NOTHING;
        }
        // DL4J's score of this layer leaves regularisation out, and with it the penalty that is trained
        boolean scoresPenalty = !SameDiffOutputLayer.class.isAssignableFrom(example.type());
        List<String> found = methods(position).stream()
                .filter(method -> scoresPenalty || !(method instanceof Sorsa))
                .map(method -> cell(example, position, method, UnaryOperator.identity(), false))
                .distinct()
                .toList();
        assertThat(found).as("what the methods find").hasSize(1);
        boolean canDrop = found.get(0).startsWith("`") || found.get(0).equals(YES);
        return canDrop && !position.isFrozen() ? found.get(0) + withDropout(example, position) : found.get(0);
    }

    /** A layer that is trained keeps its dropout, which has to be right as well, or refused. */
    private static String withDropout(Example example, Position position) {
        Example dropping = example.with(layer -> layer.setIDropout(new Dropout(0.6)));
        if (!isRunByDl4j(dropping, UnaryOperator.identity())) {
            return ", without dropout";
        }
        return cell(dropping, position, Pissa.rank(1), UnaryOperator.identity(), false)
                        .equals("no")
                ? ", without dropout"
                : "";
    }

    /** Returns the wrappers that DL4J can put around it and in which it is right. */
    static String wrappers(Example example) {
        List<String> names = new ArrayList<>();
        WRAPPERS.forEach((name, wrapper) -> {
            Example wrapped = example.inside(name);
            if (isRunByDl4j(wrapped, wrapper)) {
                String above = example.isInput() ? YES : cell(wrapped, Position.ABOVE, Lora.rank(2), wrapper, true);
                cell(wrapped, Position.ADAPTED, Pissa.rank(1), wrapper, true);
                if (above.equals(YES)) {
                    names.add("`" + name + "`");
                }
            }
        });
        return names.isEmpty() ? NOTHING : String.join(", ", names);
    }

    private static boolean isRunByDl4j(Example example, UnaryOperator<Layer> wrapper) {
        try {
            MultiLayerNetwork network =
                    Networks.around(example, wrapper.apply(example.layer().get()));
            Trial trial = new Trial(network, Networks.data(example));
            trial.score(true);
            trial.fit();
            return true;
        } catch (RuntimeException e) {
            return false;
        }
    }

    private static String cell(
            Example example, Position position, AdapterMethod method, UnaryOperator<Layer> wrapper, boolean isWrapped) {
        Layer layer = example.layer().get();
        if (position.isFrozen()) {
            makeRandom(layer);
        }
        MultiLayerNetwork original = Networks.around(example, wrapper.apply(layer));
        AdapterTransfer.Builder transfer = position.choose(
                new AdapterTransfer.Builder(original).method(method).peakLearningRate(0.1),
                example.isInput() ? Networks.OUTPUT : Networks.BELOW);
        MultiLayerNetwork adapted;
        try {
            adapted = transfer.build();
        } catch (InvalidInputException e) {
            assertThat(e).hasMessageContaining("`" + Networks.TESTED + "`");
            return refusal(e, example);
        }
        Set<String> trained = new TreeSet<>(Adapted.trainable(adapted));
        Set<String> ignored = new TreeSet<>();
        if (position == Position.TRAINED) {
            trained.addAll(example.parameters(adapted));
            ignored.addAll(example.untrained(adapted));
            trained.removeAll(ignored);
        }
        boolean random = !position.isFrozen() && example.isRandom();
        if (method instanceof Lora && !isWrapped) {
            Contract.check(original, adapted, Networks.data(example), trained, ignored, random);
        } else {
            Contract.gradient(original, adapted, Networks.data(example), trained, ignored, random);
        }
        return position == Position.ADAPTED ? weights(adapted) : YES;
    }

    private static String refusal(InvalidInputException refused, Example example) {
        String message = String.valueOf(refused.getMessage());
        if (message.contains("has no weights")) {
            return NOTHING;
        }
        assertThat(message).contains(example.layer().get().getClass().getSimpleName());
        return "no";
    }

    /** The names of the adapted weights. */
    private static String weights(MultiLayerNetwork adapted) {
        return Adapted.trainable(adapted).stream()
                .map(name -> name.substring(name.indexOf('_') + 1, name.indexOf('.')))
                .distinct()
                .map(weight -> "`" + weight + "`")
                .collect(Collectors.joining(" "));
    }

    /** Gives a layer all that DL4J's layers can have of randomness in training. */
    private static void makeRandom(Layer layer) {
        layer.setIDropout(new Dropout(0.6));
        if (layer instanceof BaseLayer weighted) {
            weighted.setWeightNoise(new DropConnect(0.7));
        }
    }
}
