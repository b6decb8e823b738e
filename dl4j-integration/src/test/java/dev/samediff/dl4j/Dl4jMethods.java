package dev.samediff.dl4j;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.method.AdaLora;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.method.RankBudget;
import dev.samediff.adapters.method.Sorsa;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * The methods, as DL4J's networks take them: nobody tells these of updates, so AdaLoRA keeps all its ranks. Its tensors start small: with a
 * large scaling it moves within a few updates as far as the others.
 */
final class Dl4jMethods {
    private static final double FAST = 1000;

    private Dl4jMethods() {}

    /** Names of the methods that transformers as vertices take: all. */
    static List<String> ofGraphs() {
        return AdapterMethods.names();
    }

    /** Names of the methods that layers take: those which are a change of one weight, all of it trained. */
    static List<String> ofLayers() {
        return AdapterMethods.names().stream()
                .filter(name -> named(name, 1).bias().isEmpty())
                .filter(name -> named(name, 1).frozen().isEmpty())
                .filter(name -> named(name, 1).unmergeable().isEmpty())
                .toList();
    }

    static AdapterMethod named(String name, int rank) {
        return keepingRanks(AdapterMethods.named(name, rank));
    }

    static AdapterMethod named(String name, int rank, OptionalDouble alpha, Map<String, String> settings) {
        return keepingRanks(AdapterMethods.amongOthers(name, rank, alpha, settings));
    }

    /** A method without its penalty, which DL4J leaves out of the score of vertices. */
    static AdapterMethod withoutPenalty(String name, int rank) {
        AdapterMethod method = named(name, rank);
        if (method instanceof Sorsa sorsa) {
            return sorsa.withGamma(0);
        }
        return method instanceof AdaLora adaLora ? adaLora.withOrthogonality(0) : method;
    }

    private static AdapterMethod keepingRanks(AdapterMethod method) {
        return method instanceof AdaLora one
                ? one.withBudget(RankBudget.DEFAULT.withTarget(one.rank())).withAlpha(FAST * one.rank())
                : method;
    }
}
