"""Sparse matrices of several forms, two of which share their data.

expected: equal
fused:
"""
# %% [imports]
import numpy as np
from scipy import sparse
# %% [step:make]
csr = sparse.csr_matrix(np.eye(3))
twin = sparse.csr_matrix((csr.data, csr.indices, csr.indptr), copy=False)
coo = sparse.coo_array(([1.0, 2.0], ([0, 1], [1, 0])))
lil = sparse.lil_matrix((2, 2))
# %% [step:change]
csr.data[0] = 7
lil[1, 1] = 3
# %% [step:check]
result = [csr.toarray(), twin.toarray(), coo.toarray(), lil.toarray()]
print(result, np.shares_memory(csr.data, twin.data))
