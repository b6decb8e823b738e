package dev.samediff.importer;

class EinsumOperatorsTest extends OperatorCases {
    @Override
    void define() {
        smooth("outer", 13, "Einsum", reals(3), reals(4), "equation", "i,j->ij");
        smooth("scores", 13, "Einsum", reals(2, 2, 4, 3), reals(2, 2, 5, 3), "equation", "bhid,bhjd->bhij");
        smooth("two free", 13, "Einsum", reals(2, 4, 3), reals(3, 2), "equation", "btd,de -> bte");
        smooth("transposed result", 13, "Einsum", reals(2, 4, 3), reals(2, 3, 5), "equation", "bij,bjk->kbi");
        smooth("element-wise", 13, "Einsum", reals(2, 3), reals(2, 3), "equation", "ij,ij->ij");
    }
}
