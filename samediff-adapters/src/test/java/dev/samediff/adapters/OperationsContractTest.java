package dev.samediff.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedWorld.Sharing;
import dev.samediff.adapters.graph.ModuleMatch;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Pissa;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * What every operation on an adapted model must do, for every method, every history and everybody who shares the weights: {@link
 * AdaptedWorld} says what is looked at after each operation. A new method is covered as soon as {@link
 * AdapterContractTest#methods} has it.
 */
class OperationsContractTest {
    /** Of each case; {@code -Drandom.sequences=20} for a longer search. */
    private static final int SEQUENCES = Integer.getInteger("random.sequences", 1);

    private static final TargetSelector TABLE = TargetSelector.suffixes("wte");

    private static final List<TargetSelector> TARGETS = List.of(
            TargetSelector.allLinear(),
            TargetSelector.suffixes("k", "v"),
            TargetSelector.suffixes("q"),
            TABLE,
            TargetSelector.suffixes("wte", "o"));

    /** How many of the targets adapt {@code k}, so that its bias cannot be named. */
    private static final int WITH_K = 2;

    private static final WholeTensors NAMED = WholeTensors.NONE.withModules(ModuleMatch.names(List.of("o", "k.bias")));

    private static final List<WholeTensors> WHOLE = List.of(
            WholeTensors.NONE,
            WholeTensors.NONE.withBias(WholeTensors.Bias.ALL),
            NAMED,
            WholeTensors.NONE.withModules(ModuleMatch.regex("o")).withBias(WholeTensors.Bias.ALL),
            WholeTensors.NONE.withTokens(WholeTensors.MAIN_TABLE, List.of(3, 49, 20)));

    @TempDir
    static Path directory;

    /** One of each method; the settings of one method do not differ in what these tests look at. */
    private static List<AdapterMethod> families() {
        return List.copyOf(AdapterContractTest.methods().stream()
                .collect(Collectors.toMap(AdapterMethod::name, method -> method, (first, other) -> first, TreeMap::new))
                .values());
    }

    /** Every pair, the ways of sharing in turn; with a longer search every pair in every way. */
    static Stream<Arguments> pairs() {
        List<AdapterMethod> methods = families();
        int ways = Sharing.values().length;
        return IntStream.range(0, methods.size() * methods.size() * ways)
                .filter(i -> SEQUENCES > 1 || i % ways == i / ways % ways)
                .mapToObj(i -> Arguments.of(
                        methods.get(i / ways / methods.size()),
                        methods.get(i / ways % methods.size()),
                        Sharing.values()[i % ways]));
    }

    static Stream<Arguments> cases() {
        return AdapterContractTest.methods().stream()
                .flatMap(method -> Stream.of(Sharing.values()).map(sharing -> Arguments.of(method, sharing)));
    }

    /** The second adapter is on the twin of the first one's weight, and on a layer of its own. */
    @ParameterizedTest
    @MethodSource("pairs")
    void two_adapters_leave_everything_else_alone(AdapterMethod first, AdapterMethod second, Sharing sharing) {
        AdapterConfig one = AdapterConfig.of(first).withName("one").withTargets(TargetSelector.suffixes("q", "o"));
        boolean apart = Stream.of(first, second) // what sets the lengths of columns does so alone
                .anyMatch(method -> method.magnitude().isPresent());
        AdapterConfig two = AdapterConfig.of(second)
                .withName("two")
                .withTargets(apart ? TargetSelector.suffixes("k", "wte") : TargetSelector.suffixes("k", "wte", "o"));
        try (AdaptedWorld world = new AdaptedWorld(sharing, DataType.FLOAT, one)) {
            world.differentiate();
            AdaptedModel model = world.model();
            world.train(1);
            world.apply("add", () -> model.add(two));
            world.activate("one", "two");
            world.train(2);
            world.copy();
            world.differentiate();
            world.apply("merge", model::merge);
            world.differentiate();
            world.apply("unmerge", model::unmerge);
            world.activate("two");
            world.differentiate();
            world.apply("disable", model::disable);
            world.activate("two", "one");
            world.apply("enable", model::enable);
            world.apply("remove one", () -> model.remove("one"));
            world.train(3);
            world.unload();
        }
    }

    /** One adapter trains rows of a table that a head is tied to, another has factors on it, which unties the head. */
    @ParameterizedTest
    @EnumSource
    void rows_of_a_tied_table_leave_everything_else_alone(Sharing sharing) {
        AdapterConfig one = AdapterConfig.of(Pissa.rank(2))
                .withName("one")
                .withTargets(TargetSelector.suffixes("q", "wte"))
                .withTrainableTokens(0, 49, 7);
        AdapterConfig two =
                AdapterConfig.of(Pissa.rank(2)).withName("two").withTargets(TargetSelector.suffixes("k", "wte"));
        try (AdaptedWorld world = new AdaptedWorld(sharing, DataType.FLOAT, one)) {
            AdaptedModel model = world.model();
            assertThat(model.state("one").sites()).hasSize(1);
            world.differentiate();
            world.train(1);
            world.apply("merge", model::merge);
            world.apply("add", () -> model.add(two));
            world.train(2);
            world.copy();
            assertThatThrownBy(() -> model.activate("one", "two"))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("`wte.weight` is trained whole by the adapter `one`");
            world.activate("two");
            world.train(3);
            world.apply("unmerge", model::unmerge);
            world.activate("one");
            world.differentiate();
            world.apply("merge", model::merge);
            world.apply("remove two", () -> model.remove("two"));
            world.apply("unmerge", model::unmerge);
            world.train(4);
            world.apply("disable", model::disable);
            world.apply("enable", model::enable);
            world.unload();
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void any_sequence_leaves_everything_else_alone(AdapterMethod method, Sharing sharing) {
        for (int seed = 0; seed < SEQUENCES; seed++) {
            new Sequence(method, sharing, seed).run();
        }
    }

    /** Twelve operations on one model. */
    private static final class Sequence {
        private final Random random;
        private final AdapterMethod method;
        private final Sharing sharing;
        private final DataType type;
        private int added;

        Sequence(AdapterMethod method, Sharing sharing, int seed) {
            this.random = new Random(31L * seed + 7L * method.toString().hashCode() + sharing.ordinal());
            this.method = method;
            this.sharing = sharing;
            this.type = random.nextInt(4) == 0 ? DataType.DOUBLE : DataType.FLOAT;
        }

        void run() {
            try (AdaptedWorld world = new AdaptedWorld(sharing, type, config(method))) {
                for (int i = 0; i < 12; i++) {
                    change(world, world.model());
                    if (random.nextInt(4) == 0) {
                        world.differentiate();
                    }
                }
                world.unload();
            }
        }

        private AdapterConfig config(AdapterMethod of) {
            WholeTensors whole = WHOLE.get(random.nextInt(WHOLE.size()));
            int first = whole.equals(NAMED) ? WITH_K : 0;
            AdapterConfig config = AdapterConfig.of(of)
                    .withName("a" + added++)
                    .withTargets(TARGETS.get(first + random.nextInt(TARGETS.size() - first)))
                    .withWhole(whole);
            boolean onlyTable = config.targets().describe().equals(TABLE.describe());
            return onlyTable && !config.whole().tokens().isEmpty() // which then gets no factors
                    ? config.withTargets(TargetSelector.suffixes("k"))
                    : config;
        }

        private AdapterMethod any() {
            List<AdapterMethod> methods = AdapterContractTest.methods();
            return random.nextBoolean() ? method : methods.get(random.nextInt(methods.size()));
        }

        private String[] some(AdaptedModel model) {
            List<String> names = new ArrayList<>(model.adapters());
            names.removeIf(name -> random.nextInt(3) == 0);
            List<String> together = new ArrayList<>();
            names.stream()
                    .filter(name -> together.stream().noneMatch(other -> exclude(model, name, other)))
                    .forEach(together::add);
            return together.toArray(String[]::new);
        }

        /** Whether one adapter trains whole what the other changes, too. */
        private static boolean exclude(AdaptedModel model, String one, String other) {
            return !Collections.disjoint(whole(model, one), changed(model, other))
                    || !Collections.disjoint(whole(model, other), changed(model, one))
                    || (setsLengths(model, one) || setsLengths(model, other))
                            && !Collections.disjoint(changed(model, one), changed(model, other));
        }

        private static boolean setsLengths(AdaptedModel model, String name) {
            return model.config(name).method().magnitude().isPresent();
        }

        private static List<String> whole(AdaptedModel model, String name) {
            return model.state(name).whole().stream()
                    .map(AdapterState.Whole::variable)
                    .toList();
        }

        private static List<String> changed(AdaptedModel model, String name) {
            List<String> changed = new ArrayList<>(whole(model, name));
            model.state(name).sites().forEach(site -> changed.add(site.weight()));
            return changed;
        }

        private void change(AdaptedWorld world, AdaptedModel model) {
            int choice = random.nextInt(17);
            if (choice < 3) {
                AdapterConfig config = config(any());
                world.apply("add " + AdaptedWorld.described(config), () -> model.add(config));
            } else if (choice < 6) {
                world.activate(some(model));
            } else if (choice < 8) {
                world.train(random.nextLong());
            } else if (choice == 8 && !model.adapters().isEmpty()) {
                String name =
                        model.adapters().get(random.nextInt(model.adapters().size()));
                world.apply("remove " + name, () -> model.remove(name));
            } else if (choice == 9) {
                world.copy();
            } else if (choice == 10) {
                world.moveToFile(directory, random.nextBoolean());
            } else if (choice == 11) {
                world.unload();
                world.inject(config(any()));
            } else if (choice == 12) {
                world.apply("penalties", () -> model.peakLearningRate(0.01 * (1 + random.nextInt(3))));
            } else {
                List<Runnable> switches = List.of(model::merge, model::unmerge, model::disable, model::enable);
                int index = random.nextInt(4);
                world.apply(List.of("merge", "unmerge", "disable", "enable").get(index), switches.get(index));
            }
        }
    }
}
