package dev.samediff.tuning.arbiter;

import dev.samediff.tuning.Search;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.IntStream;

/** Prints docs/tuning.md's table of searches on test functions: {@code TpeBench [SEEDS [TRIALS]]}, 60 and 60 unless given. */
final class TpeBench {
    private TpeBench() {}

    public static void main(String[] arguments) {
        int seeds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 60;
        int trials = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 60;
        System.out.println("| function | TPE: median | mean | random: median | mean | TPE is better at |");
        System.out.println("|---|---|---|---|---|---|");
        for (TestFunctions function : TestFunctions.values()) {
            double[] tpe = function.regrets(Search.TPE, seeds, trials);
            double[] random = function.regrets(Search.RANDOM, seeds, trials);
            long wins =
                    IntStream.range(0, seeds).filter(i -> tpe[i] < random[i]).count();
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %.3g | %.3g | %.3g | %.3g | %d of %d seeds |%n",
                    function.name().toLowerCase(Locale.ROOT),
                    median(tpe),
                    mean(tpe),
                    median(random),
                    mean(random),
                    wins,
                    seeds);
        }
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).average().orElseThrow();
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }
}
