package dev.samediff.tuning.space;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.tuning.JsonMutations;
import dev.samediff.tuning.Search;
import dev.samediff.tuning.arbiter.ArbiterSpace;
import dev.samediff.tuning.arbiter.Generators;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.arbiter.optimize.api.CandidateGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Longer: {@code -Dmutations=20000}. */
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SpaceMutationTest {
    private static final int COUNT = Integer.getInteger("mutations", 500);
    private static final List<String> SPACES =
            List.of("""
            {"schema":1,"parameters":{"method":["sorsa","pissa"],"rank":[2,4,8],\
            "gamma":{"log_uniform":[1e-5,1e-2],"when":{"method":["sorsa"]}},"eta":{"log_uniform":[1e-3,3e-2]},\
            "batch":{"integer":[4,32]},"alpha":{"uniform":[4,32]},"targets":["all-linear","c_attn"],"schedule":"cosine"}}""", "{\"schema\":1,\"parameters\":{\"rank\":{\"integer\":[1,9]},\"eta\":{\"choice\":[0.1,0.2]}}}");

    @Test
    void a_changed_space_is_searched_or_refused_in_a_sentence() {
        SPACES.forEach(json -> search(AdapterParameter.check(SpaceJson.parse(json, "here")), 0));
        Random random = new Random(20);
        int refused = 0;
        for (int i = 0; i < COUNT; i++) {
            String json = JsonMutations.of(SPACES.get(i % SPACES.size()), random);
            try {
                search(AdapterParameter.check(SpaceJson.parse(json, "here")), i);
            } catch (InvalidInputException e) {
                refused++;
                assertThat(e.getMessage())
                        .as(json)
                        .doesNotContain("\n", "Exception", "java.", "jackson", "Optional", "[values=")
                        .hasSizeLessThan(700);
            } catch (RuntimeException | Error e) {
                throw new AssertionError("mutation " + i + ": " + json, e);
            }
        }
        assertThat(refused).isBetween(COUNT / 3, COUNT - COUNT / 100);
    }

    /** What is read can be searched by everything. */
    private static void search(AdapterSpace space, int seed) {
        assertThat(SpaceJson.parse(SpaceJson.write(space).toString(), "again")).isEqualTo(space);
        for (Search search : List.of(Search.TPE, Search.RANDOM, Search.GRID)) {
            CandidateGenerator generator = Generators.of(search, new ArbiterSpace(space), seed, 2);
            for (int i = 0; i < 3 && generator.hasMoreCandidates(); i++) {
                requireInside((ParameterValues) generator.getCandidate().getValue(), space);
            }
        }
    }

    private static void requireInside(ParameterValues values, AdapterSpace space) {
        for (Parameter parameter : space.parameters()) {
            Object value = values.values().get(parameter.name());
            assertThat(
                            value == null
                                    ? parameter.condition().isPresent()
                                    : parameter.range().contains(value))
                    .as("%s of %s in %s", parameter.name(), values, space)
                    .isTrue();
        }
    }
}
