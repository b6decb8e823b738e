package dev.samediff.adapters.method;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterMethodProvider;
import dev.samediff.adapters.InvalidInputException;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The list of methods, by name: for command lines and files. Those of {@link AdapterMethodProvider}s follow the library's. */
public final class AdapterMethods {
    /** The one place where a new method is listed. */
    private static final Map<String, Function<Settings, AdapterMethod>> METHODS = new LinkedHashMap<>();

    private static final String PISSA_ITERATIONS = "pissa_niter_";
    private static final String DIRECTIONS = "directions";

    static {
        METHODS.put(
                Lora.NAME,
                s -> new Lora(s.rank, s.alpha, s.flag("rslora"), s.choice("start", Lora.Start.KAIMING_UNIFORM)));
        METHODS.put(OLora.NAME, s -> new OLora(s.rank, s.alpha, s.flag("rslora")));
        METHODS.put(Pissa.NAME, s -> new Pissa(s.rank, s.alpha, s.flag("rslora"), s.count("niter")));
        METHODS.put(
                Sorsa.NAME,
                s -> new Sorsa(
                        s.rank,
                        s.alpha,
                        s.number("gamma", Sorsa.DEFAULT_GAMMA),
                        s.choice("regularizer", OrthonormalPenalty.Form.SUMSQ),
                        s.count("niter"),
                        s.count("retraction").orElse(0),
                        s.cut()));
        METHODS.put(Dora.NAME, s -> new Dora(s.directions()));
        METHODS.put(
                AdaLora.NAME,
                s -> new AdaLora(
                        s.rank, s.alpha, s.number("orthogonality", AdaLora.DEFAULT_ORTHOGONALITY), s.budget()));
        METHODS.put(
                BiasedLora.NAME,
                s -> new BiasedLora(
                        new Lora(s.rank, s.alpha, s.flag("rslora"), s.choice("start", Lora.Start.KAIMING_UNIFORM))));
        METHODS.put(
                LoraFa.NAME,
                s -> new LoraFa(
                        new Lora(s.rank, s.alpha, s.flag("rslora"), s.choice("start", Lora.Start.KAIMING_UNIFORM)),
                        s.flag("corrected")));
        METHODS.put(Ia3.NAME, s -> Ia3.of(s.alpha, s.value("feedforward")));
        METHODS.put(Bottleneck.HOULSBY, s -> s.bottleneck(Bottleneck.Placement.SERIAL));
        METHODS.put(Bottleneck.PARALLEL, s -> s.bottleneck(Bottleneck.Placement.PARALLEL));
    }

    private AdapterMethods() {}

    /**
     * Returns the names of all methods.
     *
     * @throws InvalidInputException if two have the same name
     */
    public static List<String> names() {
        return Stream.concat(METHODS.keySet().stream(), provided().keySet().stream())
                .toList();
    }

    private static Map<String, AdapterMethodProvider> provided() {
        return ProvidedMethods.byName(METHODS.keySet());
    }

    /** Returns a method by name with its default hyper-parameters. */
    public static AdapterMethod named(String name, int rank) {
        return named(name, rank, OptionalDouble.empty(), Map.of());
    }

    /**
     * Returns a method by name.
     *
     * @param name {@code lora}, {@code olora}, {@code pissa}, {@code pissa_niter_<n>}, {@code sorsa}, {@code dora}, {@code adalora},
     *     {@code lora_bias}, {@code lora_fa}, {@code ia3}, {@code houlsby}, {@code parallel}, or that of a
     *     provider, in any case
     * @param rank rank
     * @param alpha alpha, empty for the method's default
     * @param settings other hyper-parameters as {@link AdapterMethod#settings} gives them; absent ones have their defaults
     * @throws InvalidInputException if the name, a setting's name or its value is unknown
     */
    public static AdapterMethod named(String name, int rank, OptionalDouble alpha, Map<String, String> settings) {
        Named found = Named.of(name, settings);
        if (found.provider.isPresent()) {
            return ProvidedMethods.create(found.provider.get(), rank, alpha, found.settings);
        }
        Settings given = new Settings(found.key, rank, alpha, found.settings);
        AdapterMethod method = found.factory().apply(given);
        given.requireAllUsed();
        return method;
    }

    /**
     * Returns one of several methods that are given the same hyper-parameters, as comparisons and sweeps do: what this one does not have is
     * left out, alpha included.
     *
     * @param name as for {@link #named(String, int, OptionalDouble, Map)}
     * @param rank rank
     * @param alpha alpha, empty for the method's default
     * @param settings hyper-parameters of any of the methods; {@link #requireKnown} refuses those that none of them has
     * @throws InvalidInputException if the name or a value is unknown
     */
    public static AdapterMethod amongOthers(String name, int rank, OptionalDouble alpha, Map<String, String> settings) {
        Named found = Named.of(name, settings);
        Map<String, String> own = new HashMap<>(found.settings);
        own.keySet().retainAll(found.known(rank));
        return named(name, rank, found.key.equals(Ia3.NAME) ? OptionalDouble.empty() : alpha, own);
    }

    /**
     * Refuses hyper-parameters that none of some methods has.
     *
     * @param names the methods
     * @param settings hyper-parameters by name
     * @throws InvalidInputException that names the first of them, and what the methods have
     */
    public static void requireKnown(Collection<String> names, Map<String, String> settings) {
        Set<String> known = new TreeSet<>();
        names.forEach(name -> known.addAll(Named.of(name, settings).known(1)));
        settings.keySet().stream()
                .filter(setting -> !known.contains(setting))
                .sorted()
                .findFirst()
                .ifPresent(setting -> {
                    throw new InvalidInputException("none of the methods " + String.join(", ", names)
                            + " has a setting `" + setting + "`; they have " + known);
                });
    }

    /** A method that was asked for by name, and the settings with what its name says. */
    private record Named(String key, Map<String, String> settings, Optional<AdapterMethodProvider> provider) {
        static Named of(String name, Map<String, String> settings) {
            String key = name.toLowerCase(Locale.ROOT);
            Map<String, String> all = new HashMap<>(settings);
            if (key.startsWith(PISSA_ITERATIONS)) {
                all.putIfAbsent("niter", key.substring(PISSA_ITERATIONS.length()));
                key = Pissa.NAME;
            }
            Optional<AdapterMethodProvider> provider =
                    Optional.ofNullable(provided().get(key));
            if (provider.isEmpty() && !METHODS.containsKey(key)) {
                throw new InvalidInputException("there is no adapter method `" + name + "`; there are " + names());
            }
            return new Named(key, all, provider);
        }

        Function<Settings, AdapterMethod> factory() {
            return Objects.requireNonNull(METHODS.get(key));
        }

        /** The names of all settings that the method has; of a provided one, those that it shows. */
        Set<String> known(int rank) {
            if (provider.isPresent()) {
                return ProvidedMethods.create(provider.get(), rank, OptionalDouble.empty(), Map.of())
                        .settings()
                        .keySet();
            }
            Map<String, String> deciding = new HashMap<>(settings);
            deciding.keySet().retainAll(Set.of(DIRECTIONS)); // the only one that others depend on
            Settings asked = new Settings(key, rank, OptionalDouble.empty(), deciding);
            Objects.requireNonNull(factory().apply(asked)); // a method that is built asks for all of them
            return asked.known;
        }
    }

    /** Reads settings and remembers which were asked for. */
    private static final class Settings {
        private final String method;
        private final int rank;
        private final OptionalDouble alpha;
        private final Map<String, String> values;
        private final Set<String> known = new TreeSet<>();

        Settings(String method, int rank, OptionalDouble alpha, Map<String, String> values) {
            this.method = method;
            this.rank = rank;
            this.alpha = alpha;
            this.values = values;
        }

        /** Returns the method of two factors that this one is built on. */
        AdapterMethod directions() {
            String name = value(DIRECTIONS).orElse(Lora.NAME);
            Function<Settings, AdapterMethod> factory = METHODS.get(name);
            if (factory == null || !List.of(Lora.NAME, OLora.NAME, Pissa.NAME).contains(name)) {
                throw wrong(DIRECTIONS, name, "lora, olora or pissa");
            }
            return factory.apply(this);
        }

        Optional<SingularValueCut> cut() {
            OptionalInt interval = count("cut_every");
            double share = number("cut_below", 0);
            return interval.isPresent() || share != 0
                    ? Optional.of(new SingularValueCut(share, interval.orElse(1)))
                    : Optional.empty();
        }

        Bottleneck bottleneck(Bottleneck.Placement placement) {
            return new Bottleneck(placement, rank, alpha, choice("activation", Bottleneck.Activation.RELU));
        }

        RankBudget budget() {
            RankBudget absent = RankBudget.DEFAULT;
            return new RankBudget(
                    count("target"),
                    count("warmup").orElse(absent.warmup()),
                    count("last").orElse(absent.last()),
                    count("interval").orElse(absent.interval()),
                    number("beta1", absent.beta1()),
                    number("beta2", absent.beta2()),
                    count("total"));
        }

        boolean flag(String name) {
            return value(name)
                    .map(text -> switch (text) {
                        case "true" -> true;
                        case "false" -> false;
                        default -> throw wrong(name, text, "true or false");
                    })
                    .orElse(false);
        }

        double number(String name, double absent) {
            return value(name)
                    .map(text -> {
                        try {
                            return Double.parseDouble(text);
                        } catch (NumberFormatException e) {
                            throw wrong(name, text, "a number");
                        }
                    })
                    .orElse(absent);
        }

        OptionalInt count(String name) {
            return value(name)
                    .map(text -> {
                        try {
                            return OptionalInt.of(Integer.parseInt(text));
                        } catch (NumberFormatException e) {
                            throw wrong(name, text, "a whole number");
                        }
                    })
                    .orElse(OptionalInt.empty());
        }

        <E extends Enum<E>> E choice(String name, E absent) {
            return value(name)
                    .map(text -> Arrays.stream(absent.getDeclaringClass().getEnumConstants())
                            .filter(e -> e.name().equalsIgnoreCase(text))
                            .findFirst()
                            .orElseThrow(() -> wrong(
                                    name,
                                    text,
                                    "one of "
                                            + Arrays.stream(absent.getDeclaringClass()
                                                            .getEnumConstants())
                                                    .map(e -> e.name().toLowerCase(Locale.ROOT))
                                                    .collect(Collectors.joining(", ")))))
                    .orElse(absent);
        }

        void requireAllUsed() {
            values.keySet().stream()
                    .filter(name -> !known.contains(name))
                    .findFirst()
                    .ifPresent(name -> {
                        throw new InvalidInputException(
                                "the method " + method + " has no setting `" + name + "`; it has " + known);
                    });
        }

        private Optional<String> value(String name) {
            known.add(name);
            return Optional.ofNullable(values.get(name));
        }

        private InvalidInputException wrong(String name, String text, String expected) {
            return new InvalidInputException(
                    "the setting `" + name + "` of " + method + " is `" + text + "`; expected " + expected);
        }
    }
}
