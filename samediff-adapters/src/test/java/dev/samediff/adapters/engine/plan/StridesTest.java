package dev.samediff.adapters.engine.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.engine.program.Shapes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Strides of views against the places of single elements. */
class StridesTest {
    private static final int TRIALS = 20_000;

    /** A tensor as plans make them: permuted, cut, repeated along some axes, with axes of size 1 of any stride. */
    private record View(long[] shape, long[] strides) {
        static View random(Random random) {
            int rank = random.nextInt(6);
            long[] shape = random.longs(rank, 1, 5).toArray();
            long[] strides = new long[rank];
            List<Integer> order = new ArrayList<>();
            for (int axis = 0; axis < rank; axis++) {
                order.add(axis);
            }
            if (random.nextInt(3) == 0) {
                Collections.shuffle(order, random);
            }
            long stride = random.nextInt(8) == 0 ? 2 : 1;
            for (int i = rank - 1; i >= 0; i--) {
                int axis = order.get(i);
                boolean isRepeated = random.nextInt(8) == 0;
                strides[axis] = isRepeated ? 0 : stride;
                if (shape[axis] == 1 && random.nextBoolean()) {
                    strides[axis] = random.nextInt(50);
                }
                long whole = shape[axis] + (random.nextInt(6) == 0 ? 1 + random.nextInt(2) : 0);
                stride *= isRepeated ? 1 : whole;
            }
            return new View(shape, strides);
        }

        /** Where every element lies, in row-major order. */
        long[] places() {
            long[] places = new long[Math.toIntExact(Shapes.length(shape))];
            for (int i = 0; i < places.length; i++) {
                places[i] = place(shape, strides, i);
            }
            return places;
        }

        @Override
        public String toString() {
            return Arrays.toString(shape) + " strides " + Arrays.toString(strides);
        }
    }

    private static long place(long[] shape, long[] strides, long element) {
        long place = 0;
        long rest = element;
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            place += rest % shape[axis] * strides[axis];
            rest /= shape[axis];
        }
        return place;
    }

    /** Another shape of as many elements: factors in any order, some joined, with axes of size 1 between them. */
    private static long[] reshaped(long length, Random random) {
        List<Long> axes = new ArrayList<>();
        long rest = length;
        for (long factor = 2; rest > 1; factor++) {
            while (rest % factor == 0) {
                rest /= factor;
                if (!axes.isEmpty() && random.nextBoolean()) {
                    int other = random.nextInt(axes.size());
                    axes.set(other, axes.get(other) * factor);
                } else {
                    axes.add(random.nextInt(axes.size() + 1), factor);
                }
            }
        }
        while (random.nextInt(3) == 0) {
            axes.add(random.nextInt(axes.size() + 1), 1L);
        }
        return axes.stream().mapToLong(Long::longValue).toArray();
    }

    /** The only strides there can be: the distance of each axis' second element from the first. */
    private static boolean canBeStrided(long[] places, long[] shape) {
        long[] strides = new long[shape.length];
        long step = 1;
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            strides[axis] = shape[axis] == 1 ? 0 : places[Math.toIntExact(step)] - places[0];
            step *= shape[axis];
        }
        for (int i = 0; i < places.length; i++) {
            if (places[i] - places[0] != place(shape, strides, i)) {
                return false;
            }
        }
        return true;
    }

    @Test
    void a_tensor_is_seen_in_another_shape_if_any_strides_can_do_it_and_every_element_is_where_it_was() {
        Random random = new Random(1);
        int possible = 0;
        for (int trial = 0; trial < TRIALS; trial++) {
            View view = View.random(random);
            long[] shape = trial % 4 == 0 && view.shape().length > 0
                    ? regrouped(view.shape(), random)
                    : reshaped(Shapes.length(view.shape()), random);
            long[] places = view.places();
            long[] strides = Strides.reshape(view.shape(), view.strides(), shape);
            String what = view + " as " + Arrays.toString(shape) + " strides " + Arrays.toString(strides);
            assertThat(strides != null).as(what).isEqualTo(canBeStrided(places, shape));
            if (strides != null) {
                possible++;
                assertThat(new View(shape, strides).places()).as(what).isEqualTo(places);
                assertThat(Arrays.stream(strides)).as(what).allMatch(stride -> stride >= 0);
            }
        }
        assertThat(possible).as("views among the trials").isBetween(TRIALS / 5, TRIALS * 4 / 5);
    }

    /** Neighbouring axes joined, as heads are. */
    private static long[] regrouped(long[] shape, Random random) {
        List<Long> axes = new ArrayList<>();
        for (long size : shape) {
            if (!axes.isEmpty() && random.nextInt(3) == 0) {
                axes.set(axes.size() - 1, axes.get(axes.size() - 1) * size);
            } else {
                axes.add(size);
            }
        }
        return axes.stream().mapToLong(Long::longValue).toArray();
    }

    @Test
    void an_expanded_axis_repeats_its_only_element_and_the_others_stay() {
        Random random = new Random(2);
        for (int trial = 0; trial < 1000; trial++) {
            View view = View.random(random);
            long[] wider = view.shape().clone();
            for (int axis = 0; axis < wider.length; axis++) {
                wider[axis] = wider[axis] == 1 && random.nextBoolean() ? 1 + random.nextInt(3) : wider[axis];
            }
            View expanded = new View(wider, Strides.expand(view.shape(), view.strides(), wider));
            long[] places = expanded.places();
            for (int i = 0; i < places.length; i++) {
                long element = 0;
                long rest = i;
                long step = 1;
                for (int axis = wider.length - 1; axis >= 0; axis--) {
                    element += rest % wider[axis] % view.shape()[axis] * step;
                    rest /= wider[axis];
                    step *= view.shape()[axis];
                }
                assertThat(places[i])
                        .as("%s as %s", view, expanded)
                        .isEqualTo(place(view.shape(), view.strides(), element));
            }
        }
    }

    @Test
    void a_tensor_is_dense_if_its_elements_are_neighbours_in_order() {
        Random random = new Random(3);
        for (int trial = 0; trial < TRIALS; trial++) {
            View view = View.random(random);
            long[] places = view.places();
            boolean inOrder = true;
            for (int i = 0; i < places.length; i++) {
                inOrder &= places[i] == i;
            }
            assertThat(Strides.dense(view.shape(), view.strides()))
                    .as("%s", view)
                    .isEqualTo(inOrder);
        }
    }
}
