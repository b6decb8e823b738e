package dev.samediff.tuning.arbiter;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.tuning.Search;
import java.util.Map;
import org.apache.commons.math3.random.JDKRandomGenerator;
import org.apache.commons.math3.random.RandomGenerator;
import org.deeplearning4j.arbiter.optimize.api.CandidateGenerator;
import org.deeplearning4j.arbiter.optimize.generator.GeneticSearchCandidateGenerator;
import org.deeplearning4j.arbiter.optimize.generator.GridSearchCandidateGenerator;
import org.deeplearning4j.arbiter.optimize.generator.RandomSearchGenerator;
import org.deeplearning4j.arbiter.optimize.generator.genetic.crossover.SinglePointCrossover;
import org.deeplearning4j.arbiter.optimize.generator.genetic.crossover.parentselection.RandomTwoParentSelection;
import org.deeplearning4j.arbiter.optimize.generator.genetic.mutation.RandomMutationOperator;
import org.deeplearning4j.arbiter.optimize.generator.genetic.population.PopulationModel;
import org.deeplearning4j.arbiter.optimize.generator.genetic.selection.GeneticSelectionOperator;

/** Arbiter's generators and this project's TPE, each reproducible by its seed. */
public final class Generators {
    private static final int POPULATION = 12;
    private static final long LARGEST_GRID = 1_000_000;

    private Generators() {}

    /**
     * Returns a generator.
     *
     * @param search which one
     * @param space the space
     * @param seed seed of everything random in it
     * @param gridPoints points of a grid along a continuous range
     * @throws InvalidInputException if the space does not fit the search
     */
    public static CandidateGenerator of(Search search, ArbiterSpace space, long seed, int gridPoints) {
        CandidateGenerator generator = switch (search) {
            case RANDOM -> new RandomSearchGenerator(space);
            case GRID -> grid(space, gridPoints, GridSearchCandidateGenerator.Mode.Sequential, seed);
            case GRID_RANDOM -> grid(space, gridPoints, GridSearchCandidateGenerator.Mode.RandomOrder, seed);
            case GENETIC -> genetic(space, seed);
            case TPE -> new TpeGenerator(space);
        };
        generator.setRngSeed(seed);
        return generator;
    }

    private static CandidateGenerator grid(
            ArbiterSpace space, int points, GridSearchCandidateGenerator.Mode mode, long seed) {
        double size = space.space().gridSize(points);
        if (size > LARGEST_GRID) {
            throw new InvalidInputException("the grid has " + size + " points; at most " + LARGEST_GRID
                    + " are possible: vary fewer parameters, or use random or tpe");
        }
        return new SeededGrid(space, points, mode, seed);
    }

    /**
     * A grid whose random order follows a seed: Arbiter shuffles in the constructor, before a seed can be given.
     */
    private static final class SeededGrid extends GridSearchCandidateGenerator {
        SeededGrid(ArbiterSpace space, int points, Mode mode, long seed) {
            super(space, points, mode, Map.of());
            rng.setSeed(seed);
            initialize();
        }

        @Override
        public void setRngSeed(long seed) {
            // the order is made already
        }
    }

    /** Every random part gets one seeded generator: Arbiter gives each an own one that its setRngSeed does not reach. */
    private static CandidateGenerator genetic(ArbiterSpace space, long seed) {
        RandomGenerator random = new JDKRandomGenerator();
        random.setSeed(seed);
        GeneticSelectionOperator selection = new GeneticSelectionOperator.Builder()
                .randomGenerator(random)
                .crossoverOperator(new SinglePointCrossover.Builder()
                        .randomGenerator(random)
                        .parentSelection(new RandomTwoParentSelection(random))
                        .build())
                .mutationOperator(new RandomMutationOperator.Builder()
                        .randomGenerator(random)
                        .build())
                .build();
        return new GeneticSearchCandidateGenerator.Builder(space, LowerIsBetter.INSTANCE)
                .populationModel(
                        new PopulationModel.Builder().populationSize(POPULATION).build())
                .selectionOperator(selection)
                .build();
    }
}
