package dev.samediff.adapters;

import dev.samediff.adapters.testing.EmbeddingGraph;

/** {@link EmbeddingGraph} with a LoRA on the token table, forward and backward in plain Java. */
final class EmbeddingReference {
    private final double[][] e;
    private final double[][] p;
    private final double[][] w;
    private final double[][] y;
    private final double s;
    final double[][] a;
    final double[][] b;
    double[][] gradientA = new double[0][0];
    double[][] gradientB = new double[0][0];

    /** Takes copies of E, P, W, the labels, the scaling, A [vocabulary,r] and B [r,dim]. */
    EmbeddingReference(double[][] e, double[][] p, double[][] w, double[][] y, double s, double[][] a, double[][] b) {
        this.e = e;
        this.p = p;
        this.w = w;
        this.y = y;
        this.s = s;
        this.a = a;
        this.b = b;
    }

    /** Computes the loss and its gradients. */
    double differentiate() {
        gradientA = new double[a.length][b.length];
        gradientB = new double[b.length][b[0].length];
        int dim = w.length;
        double loss = 0;
        int n = 0;
        for (int[] sequence : EmbeddingGraph.IDS) {
            for (int t = 0; t < sequence.length; t++, n++) {
                int id = sequence[t];
                int where = (int) EmbeddingGraph.WHERE[t];
                double[] x = new double[dim];
                for (int i = 0; i < dim; i++) {
                    x[i] = row(id, i) + p[where][i] + row(where, i);
                }
                double[] h = new double[dim];
                for (int j = 0; j < dim; j++) {
                    for (int i = 0; i < dim; i++) {
                        h[j] += x[i] * w[i][j];
                    }
                    h[j] = Math.tanh(h[j]);
                }
                double[] dh = new double[dim];
                for (int v = 0; v < e.length; v++) {
                    double error = -y[n][v];
                    for (int j = 0; j < dim; j++) {
                        error += h[j] * e[v][j];
                    }
                    loss += error * error / (y.length * e.length);
                    for (int j = 0; j < dim; j++) {
                        dh[j] += 2 * error / (y.length * e.length) * e[v][j];
                    }
                }
                double[] dx = new double[dim];
                for (int i = 0; i < dim; i++) {
                    for (int j = 0; j < dim; j++) {
                        dx[i] += dh[j] * (1 - h[j] * h[j]) * w[i][j];
                    }
                }
                back(id, dx);
                back(where, dx);
            }
        }
        return loss;
    }

    /** One step of gradient descent. */
    double step(double rate) {
        double loss = differentiate();
        descend(a, gradientA, rate);
        descend(b, gradientB, rate);
        return loss;
    }

    private double row(int id, int column) {
        double value = e[id][column];
        for (int k = 0; k < b.length; k++) {
            value += s * a[id][k] * b[k][column];
        }
        return value;
    }

    private void back(int id, double[] dx) {
        for (int k = 0; k < b.length; k++) {
            for (int i = 0; i < dx.length; i++) {
                gradientA[id][k] += s * dx[i] * b[k][i];
                gradientB[k][i] += s * a[id][k] * dx[i];
            }
        }
    }

    private static void descend(double[][] values, double[][] gradient, double rate) {
        for (int i = 0; i < values.length; i++) {
            for (int j = 0; j < values[i].length; j++) {
                values[i][j] -= rate * gradient[i][j];
            }
        }
    }
}
