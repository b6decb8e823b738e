package dev.samediff.tuning.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.tuning.LearningCurve;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialSpec;
import dev.samediff.tuning.TrialState;
import dev.samediff.tuning.pruning.Pruning;
import dev.samediff.tuning.space.ParameterValues;
import java.io.File;
import java.io.InvalidClassException;
import java.io.Serializable;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.URL;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.spark.serializer.SerializerInstance;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.factory.Nd4j;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

class ListedSerializerTest {
    private static final ClassTag<Object> ANY = ClassTag$.MODULE$.apply(Object.class);
    private static final SerializerInstance SERIALIZER = new ListedSerializer().newInstance();

    @Test
    void everything_that_travels_comes_back() {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("rank", 4L);
        values.put("eta", 0.1);
        values.put("method", "sorsa");
        LearningCurve curve = new LearningCurve(List.of(new LearningCurve.Point(1, 2), new LearningCurve.Point(2, 1)));
        for (Pruning pruning : List.of(new Pruning.None(), new Pruning.Median(2, 3), new Pruning.Asha(2, 3))) {
            TrialResult result =
                    new TrialResult(3, new ParameterValues(values), TrialState.PRUNED, 0.5, 1, 2, curve, "late");
            TrialSpec spec = new TrialSpec(
                    4, new ParameterValues(values), 7, 1, Duration.ofSeconds(9), 1, pruning, List.of(result));
            assertThat(back(spec)).isEqualTo(spec);
        }
        ShardCheckpoint checkpoint = new ShardCheckpoint(3, new byte[] {1, 2}, new byte[] {3});
        ShardCheckpoint returned = ((RoundTask.Start) back(new RoundTask.Start(1, checkpoint))).from();
        assertThat(returned.tensors()).isEqualTo(checkpoint.tensors());
        assertThat(returned.progress()).isEqualTo(checkpoint.progress());
        assertThat(back(new RoundTask.Start(1, null))).isEqualTo(new RoundTask.Start(1, null));
    }

    @Test
    void any_other_class_is_refused_before_it_is_made_wherever_it_stands() throws Exception {
        Made.count = 0;
        Object proxy =
                Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {Serializable.class}, new Nothing());
        Object[] others = {
            new Made(),
            new File("x"),
            new URL("http://localhost/"),
            new AtomicReference<>("x"),
            new PriorityQueue<>(List.of(1)),
            new Made[1],
            new Made[1][1]
        };
        for (Object other : others) {
            requireRefused(other, other.getClass().getName());
            requireRefused(
                    new ArrayList<>(List.of("a", other)), other.getClass().getName());
            requireRefused(new HashMap<>(Map.of("a", other)), other.getClass().getName());
            requireRefused(new Object[] {other}, other.getClass().getName());
        }
        requireRefused(Nd4j.ones(2), "org.nd4j.linalg.api.ndarray.BaseNDArrayProxy");
        requireRefused(proxy, "a proxy of java.io.Serializable");
        assertThat(Made.count).isZero();
    }

    /** Code that runs when it is read. */
    private static final class Made implements Serializable {
        private static final long serialVersionUID = 1L;
        private static int count;

        private Object readResolve() {
            count++;
            return this;
        }
    }

    private record Nothing() implements InvocationHandler, Serializable {
        @Override
        public @Nullable Object invoke(Object proxy, Method method, Object[] arguments) {
            return null;
        }
    }

    private static void requireRefused(Object value, String name) {
        assertThatThrownBy(() -> back(value))
                .hasRootCauseInstanceOf(InvalidClassException.class)
                .hasStackTraceContaining(name + "; it is not among the classes that trials and shards consist of");
    }

    private static Object back(Object value) {
        ByteBuffer bytes = SERIALIZER.serialize(value, ANY);
        return SERIALIZER.deserialize(bytes, ANY);
    }
}
