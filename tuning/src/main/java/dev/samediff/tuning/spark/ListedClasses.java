package dev.samediff.tuning.spark;

import dev.samediff.tuning.LearningCurve;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialSpec;
import dev.samediff.tuning.TrialState;
import dev.samediff.tuning.pruning.Pruning;
import dev.samediff.tuning.space.ParameterValues;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The classes that data of trials and shards consist of: nothing else is read from another process. */
final class ListedClasses {
    private static final List<Class<?>> OWN = List.of(
            TrialSpec.class,
            TrialResult.class,
            TrialState.class,
            LearningCurve.class,
            LearningCurve.Point.class,
            ParameterValues.class,
            Pruning.None.class,
            Pruning.Median.class,
            Pruning.Asha.class,
            RoundTask.Start.class,
            ShardCheckpoint.class);

    private static final List<Class<?>> VALUES = List.of(
            String.class,
            Number.class,
            Integer.class,
            Long.class,
            Double.class,
            Enum.class,
            Object.class,
            ArrayList.class,
            HashMap.class,
            LinkedHashMap.class);

    /** Forms that the JDK's and Scala's collections and durations take in a stream; not public. */
    private static final List<String> FORMS = List.of(
            "java.time.Ser",
            "java.util.CollSer",
            "java.util.Collections$UnmodifiableMap",
            "scala.collection.mutable.WrappedArray$ofRef",
            "scala.collection.mutable.WrappedArray");

    private static final Set<String> NAMES = Stream.concat(
                    Stream.concat(OWN.stream(), VALUES.stream()).map(Class::getName), FORMS.stream())
            .collect(Collectors.toUnmodifiableSet());

    private ListedClasses() {}

    /** Returns whether a class, as a stream names it, may be read; of an array what it holds decides. */
    static boolean contains(String name) {
        String element = name.replaceFirst("^\\[+", "");
        if (element.length() < name.length()) {
            return element.length() == 1 // of a primitive type
                    || element.startsWith("L") && NAMES.contains(element.substring(1, element.length() - 1));
        }
        return NAMES.contains(name);
    }
}
