package dev.samediff.tuning.arbiter.page;

import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.ParameterValues;
import dev.samediff.tuning.space.SpaceJson;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.arbiter.BaseNetworkSpace;
import org.deeplearning4j.arbiter.optimize.api.AbstractParameterSpace;
import org.deeplearning4j.arbiter.optimize.api.ParameterSpace;

/** A space of adapters, for a page that casts every space to one of networks. A trial's coordinate is its number. */
final class PageSpace extends BaseNetworkSpace<ParameterValues> {
    private final transient AdapterSpace space;
    private final transient Map<Integer, ParameterValues> trials;

    /**
     * @param space what is varied
     * @param trials parameters of the trials by number; grows
     */
    PageSpace(AdapterSpace space, Map<Integer, ParameterValues> trials) {
        this.space = space;
        this.trials = trials;
    }

    @Override
    public ParameterValues getValue(double[] coordinates) {
        return trials.getOrDefault((int) coordinates[0], new ParameterValues(Map.of()));
    }

    @Override
    public int numParameters() {
        return space.parameters().size();
    }

    @Override
    @SuppressWarnings("rawtypes") // Arbiter's signature
    public Map<String, ParameterSpace> getNestedSpaces() {
        Map<String, ParameterSpace> spaces = new LinkedHashMap<>();
        SpaceJson.write(space)
                .path("parameters")
                .properties()
                .forEach(entry -> spaces.put(
                        entry.getKey(),
                        new Leaf(entry.getKey(), entry.getValue().toString())));
        return spaces;
    }

    /** One parameter: its range as in space.json, and its value in a trial. */
    private final class Leaf extends AbstractParameterSpace<Object> {
        private final String name;
        private final String range;

        Leaf(String name, String range) {
            this.name = name;
            this.range = range;
        }

        @Override
        public Object getValue(double[] coordinates) {
            return PageSpace.this.getValue(coordinates).values().getOrDefault(name, "-");
        }

        @Override
        public int numParameters() {
            return 1;
        }

        @Override
        @SuppressWarnings("rawtypes") // Arbiter's signature
        public List<ParameterSpace> collectLeaves() {
            return List.of(this);
        }

        @Override
        public boolean isLeaf() {
            return true;
        }

        @Override
        public void setIndices(int... indices) {
            // its value is found by the trial's number
        }

        @Override
        public String toString() {
            return range;
        }
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}
