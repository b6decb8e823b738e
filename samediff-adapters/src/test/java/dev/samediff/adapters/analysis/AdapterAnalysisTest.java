package dev.samediff.adapters.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.linalg.LapackDecompositions;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class AdapterAnalysisTest {
    private static final Offset<Double> EXACT = within(1e-12);

    private final AdapterAnalysis analysis = new AdapterAnalysis(new LapackDecompositions());
    private final INDArray diagonal = matrix(new double[][] {{4, 0}, {0, 2}, {0, 0}});

    @Test
    void an_unchanged_weight_has_no_deviation() {
        AdapterAnalysis.Deviation d = analysis.deviation(diagonal, diagonal.dup('f'));
        assertThat(d.singularValues()).isCloseTo(0, EXACT);
        assertThat(d.singularVectors()).isCloseTo(0, EXACT);
        assertThat(d.subspace()).isCloseTo(0, EXACT);
        assertThat(d.relativeChange()).isZero();
    }

    @Test
    void stretching_moves_values_only() {
        AdapterAnalysis.Deviation d = analysis.deviation(diagonal, matrix(new double[][] {{5, 0}, {0, 1.5}, {0, 0}}));
        assertThat(d.singularValues()).isCloseTo(0.75, EXACT);
        assertThat(d.singularVectors()).isCloseTo(0, EXACT);
        assertThat(d.relativeChange()).isCloseTo(Math.sqrt(1.25 / 20), EXACT);
    }

    @Test
    void rotating_the_left_vectors_moves_their_cosines_only() {
        double c = Math.cos(0.3);
        double s = Math.sin(0.3);
        INDArray rotated =
                matrix(new double[][] {{c, -s, 0}, {s, c, 0}, {0, 0, 1}}).mmul(diagonal);
        AdapterAnalysis.Deviation d = analysis.deviation(diagonal, rotated);
        assertThat(d.singularValues()).isCloseTo(0, EXACT);
        assertThat(d.singularVectors()).isCloseTo(1 - (1 + c) / 2, EXACT);
        assertThat(d.subspace()).isCloseTo(0, EXACT); // the same plane
        assertThat(analysis.deviation(diagonal, rotated, 1).subspace()).isCloseTo(1 - (1 + c * c) / 2, EXACT);
    }

    @Test
    void exchanged_directions_are_orthogonal_and_signs_do_not_count() {
        AdapterAnalysis.Deviation d = analysis.deviation(diagonal, matrix(new double[][] {{2, 0}, {0, 4}, {0, 0}}));
        assertThat(d.singularVectors()).isCloseTo(1, EXACT);
        assertThat(analysis.deviation(diagonal, diagonal.neg()).singularVectors())
                .isCloseTo(0, EXACT);
    }

    @Test
    void the_spectrum_has_the_known_numbers() {
        AdapterAnalysis.Spectrum spectrum = analysis.spectrum(diagonal.castTo(DataType.FLOAT));
        assertThat(spectrum.largest()).isCloseTo(4, EXACT);
        assertThat(spectrum.smallest()).isCloseTo(2, EXACT);
        assertThat(spectrum.condition()).isCloseTo(2, EXACT);
        assertThat(spectrum.stableRank()).isCloseTo(1.25, EXACT);
        double entropy = -(2 / 3.0 * Math.log(2 / 3.0) + 1 / 3.0 * Math.log(1 / 3.0));
        assertThat(spectrum.effectiveRank()).isCloseTo(Math.exp(entropy), EXACT);
        assertThat(analysis.spectrum(Nd4j.eye(7)).effectiveRank()).isCloseTo(7, EXACT);
        assertThat(analysis.spectrum(Nd4j.zeros(3, 2)).effectiveRank()).isZero();
        assertThat(analysis.spectrum(matrix(new double[][] {{1, 0}, {0, 0}})).condition())
                .isInfinite();
    }

    @Test
    void weights_that_cannot_be_compared_are_refused() {
        assertThatThrownBy(() -> analysis.deviation(diagonal, diagonal.transpose()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("[3, 2] and [2, 3]");
        assertThatThrownBy(() -> analysis.deviation(diagonal, diagonal, 3))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("1 to 2");
    }

    private static INDArray matrix(double[][] values) {
        return Nd4j.createFromArray(values);
    }
}
