"""Right answers to the exercises in the styles in which people write them.

The mutation score makes every slip of one token in them; the tests require that each is accepted.
"""

# ruff: noqa: E501 - people write long lines

from __future__ import annotations

STYLES: dict[str, dict[str, str]] = {}

STYLES["sigmoid"] = {
    "plain": """
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
""",
    "in steps": """
def sigmoid(z):
    power = np.exp(-z)
    below = 1 + power
    return 1 / below
""",
    "by tanh": """
def sigmoid(z):
    half = np.tanh(z / 2)
    return (1 + half) / 2
""",
    "both sides": """
def sigmoid(z):
    small = np.exp(-np.abs(z))
    right = 1 / (1 + small)
    return np.where(z >= 0, right, 1 - right)
""",
}

STYLES["sigmoid_derivative"] = {
    "plain": """
def sigmoid_derivative(a):
    return a * (1 - a)
""",
    "expanded": """
def sigmoid_derivative(a):
    square = a ** 2
    return a - square
""",
    "in steps": """
def sigmoid_derivative(a):
    rest = 1 - a
    slope = a * rest
    return slope
""",
}

STYLES["forward"] = {
    "plain": """
def forward(W1, W2, b1, b2, X):
    Z2 = X @ W1.T + b1
    A = 1 / (1 + np.exp(-Z2))
    Z3 = A @ W2.T + b2
    return 1 / (1 + np.exp(-Z3))
""",
    "helper": """
def f(z):
    return 1 / (1 + np.exp(-z))

def forward(W1, W2, b1, b2, X):
    hidden = f(X @ W1.T + b1)
    output = f(hidden @ W2.T + b2)
    return output
""",
    "columns": """
def forward(W1, W2, b1, b2, X):
    data = X.T
    z2 = W1 @ data + b1[:, None]
    a2 = 1 / (1 + np.exp(-z2))
    z3 = W2 @ a2 + b2[:, None]
    a3 = 1 / (1 + np.exp(-z3))
    return a3.T
""",
    "loop": """
def forward(W1, W2, b1, b2, X):
    outputs = []
    for x in X:
        a = 1 / (1 + np.exp(-(W1 @ x + b1)))
        y = 1 / (1 + np.exp(-(W2 @ a + b2)))
        outputs.append(y)
    return np.array(outputs)
""",
}

STYLES["cost"] = {
    "plain": """
def cost(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    m = len(X)
    A = 1 / (1 + np.exp(-(X @ W1.T + b1)))
    Y = 1 / (1 + np.exp(-(A @ W2.T + b2)))
    error = np.sum((Y - X) ** 2) / (2 * m)
    decay = weight_decay / 2 * (np.sum(W1 ** 2) + np.sum(W2 ** 2))
    rho_hat = A.mean(axis=0)
    kl = sparsity_target * np.log(sparsity_target / rho_hat) + (1 - sparsity_target) * np.log((1 - sparsity_target) / (1 - rho_hat))
    return error + decay + sparsity_weight * kl.sum()
""",
    "helpers": """
def f(z):
    return 1 / (1 + np.exp(-z))

def kl(p, q):
    first = p * np.log(p / q)
    second = (1 - p) * np.log((1 - p) / (1 - q))
    return first + second

def cost(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    A = f(X @ W1.T + b1)
    Y = f(A @ W2.T + b2)
    J = 0.5 * np.mean(np.sum((X - Y) ** 2, axis=1))
    J = J + 0.5 * weight_decay * np.sum(W1 ** 2)
    J = J + 0.5 * weight_decay * np.sum(W2 ** 2)
    J = J + sparsity_weight * np.sum(kl(sparsity_target, np.mean(A, axis=0)))
    return J
""",
    "loop": """
def cost(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    m = X.shape[0]
    total = 0.0
    rho_hat = np.zeros(len(b1))
    for x in X:
        a = 1 / (1 + np.exp(-(W1 @ x + b1)))
        y = 1 / (1 + np.exp(-(W2 @ a + b2)))
        total += 0.5 * np.dot(y - x, y - x)
        rho_hat += a / m
    J = total / m
    J += weight_decay / 2 * ((W1 ** 2).sum() + (W2 ** 2).sum())
    for r in rho_hat:
        kl = sparsity_target * np.log(sparsity_target / r)
        kl = kl + (1 - sparsity_target) * np.log((1 - sparsity_target) / (1 - r))
        J += sparsity_weight * kl
    return J
""",
    "norms": """
def cost(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    A = 1 / (1 + np.exp(-X @ W1.T - b1))
    Y = 1 / (1 + np.exp(-A @ W2.T - b2))
    error = np.linalg.norm(Y - X) ** 2 / 2 / len(X)
    decay = weight_decay / 2 * (np.linalg.norm(W1) ** 2 + np.linalg.norm(W2) ** 2)
    p, q = sparsity_target, A.mean(axis=0)
    penalty = np.sum(p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)))
    return error + decay + sparsity_weight * penalty
""",
}

STYLES["gradient"] = {
    "plain": """
def gradient(W1, W2, b1, b2, X, weight_decay):
    m = len(X)
    A = 1 / (1 + np.exp(-(X @ W1.T + b1)))
    Y = 1 / (1 + np.exp(-(A @ W2.T + b2)))
    delta3 = (Y - X) * Y * (1 - Y)
    delta2 = (delta3 @ W2) * A * (1 - A)
    gW1 = delta2.T @ X / m + weight_decay * W1
    gW2 = delta3.T @ A / m + weight_decay * W2
    return gW1, gW2, delta2.mean(axis=0), delta3.mean(axis=0)
""",
    "einsum": """
def gradient(W1, W2, b1, b2, X, weight_decay):
    m = X.shape[0]
    z2 = np.einsum('mn,hn->mh', X, W1) + b1
    a2 = 1 / (1 + np.exp(-z2))
    z3 = np.einsum('mh,nh->mn', a2, W2) + b2
    a3 = 1 / (1 + np.exp(-z3))
    d3 = -(X - a3) * a3 * (1 - a3)
    d2 = np.einsum('mn,nh->mh', d3, W2) * a2 * (1 - a2)
    g1 = np.einsum('mh,mn->hn', d2, X) / m + weight_decay * W1
    g2 = np.einsum('mn,mh->nh', d3, a2) / m + weight_decay * W2
    return g1, g2, d2.sum(axis=0) / m, d3.sum(axis=0) / m
""",
    "loop": """
def gradient(W1, W2, b1, b2, X, weight_decay):
    m = len(X)
    G1 = np.zeros_like(W1)
    G2 = np.zeros_like(W2)
    h1 = np.zeros_like(b1)
    h2 = np.zeros_like(b2)
    for x in X:
        a = 1 / (1 + np.exp(-(W1 @ x + b1)))
        y = 1 / (1 + np.exp(-(W2 @ a + b2)))
        d3 = (y - x) * y * (1 - y)
        d2 = (W2.T @ d3) * a * (1 - a)
        G1 += np.outer(d2, x)
        G2 += np.outer(d3, a)
        h1 += d2
        h2 += d3
    return G1 / m + weight_decay * W1, G2 / m + weight_decay * W2, h1 / m, h2 / m
""",
    "columns": """
def gradient(W1, W2, b1, b2, X, weight_decay):
    data = X.T
    m = data.shape[1]
    a2 = 1 / (1 + np.exp(-(W1 @ data + b1[:, None])))
    a3 = 1 / (1 + np.exp(-(W2 @ a2 + b2[:, None])))
    d3 = -(data - a3) * a3 * (1 - a3)
    d2 = (W2.T @ d3) * a2 * (1 - a2)
    g1 = d2 @ data.T / m + weight_decay * W1
    g2 = d3 @ a2.T / m + weight_decay * W2
    return g1, g2, d2.mean(axis=1), d3.mean(axis=1)
""",
}

STYLES["mean_activation"] = {
    "plain": """
def mean_activation(A):
    return A.mean(axis=0)
""",
    "sum": """
def mean_activation(A):
    m = len(A)
    total = np.sum(A, axis=0)
    return total / m
""",
    "loop": """
def mean_activation(A):
    total = np.zeros(A.shape[1])
    for row in A:
        total = total + row
    return total / len(A)
""",
    "comprehension": """
def mean_activation(A):
    return np.array([np.sum(A[:, j]) / A.shape[0] for j in range(A.shape[1])])
""",
}

STYLES["kl_divergence"] = {
    "plain": """
def kl_divergence(rho, rho_hat):
    return rho * np.log(rho / rho_hat) + (1 - rho) * np.log((1 - rho) / (1 - rho_hat))
""",
    "in steps": """
def kl_divergence(rho, rho_hat):
    active = rho * np.log(rho / rho_hat)
    inactive = (1 - rho) * np.log((1 - rho) / (1 - rho_hat))
    return active + inactive
""",
    "differences": """
def kl_divergence(rho, rho_hat):
    p, q = rho, rho_hat
    first = p * (np.log(p) - np.log(q))
    second = (1 - p) * (np.log(1 - p) - np.log(1 - q))
    return first + second
""",
    "entropies": """
def kl_divergence(rho, rho_hat):
    entropy = -rho * np.log(rho) - (1 - rho) * np.log(1 - rho)
    cross = -rho * np.log(rho_hat) - (1 - rho) * np.log(1 - rho_hat)
    return cross - entropy
""",
}

STYLES["kl_gradient"] = {
    "plain": """
def kl_gradient(rho, rho_hat):
    return -rho / rho_hat + (1 - rho) / (1 - rho_hat)
""",
    "in steps": """
def kl_gradient(rho, rho_hat):
    active = rho / rho_hat
    inactive = (1 - rho) / (1 - rho_hat)
    return inactive - active
""",
    "one fraction": """
def kl_gradient(rho, rho_hat):
    above = rho_hat - rho
    below = rho_hat * (1 - rho_hat)
    return above / below
""",
}

STYLES["sparse_gradient"] = {
    "plain": """
def sparse_gradient(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    m = len(X)
    Z2 = X @ W1.T + b1
    A = 1 / (1 + np.exp(-Z2))
    Z3 = A @ W2.T + b2
    Y = 1 / (1 + np.exp(-Z3))
    rho_hat = A.mean(axis=0)
    delta3 = (Y - X) * Y * (1 - Y)
    push = sparsity_weight * (-sparsity_target / rho_hat + (1 - sparsity_target) / (1 - rho_hat))
    back = delta3 @ W2
    delta2 = (back + push) * A * (1 - A)
    gW1 = delta2.T @ X / m + weight_decay * W1
    gW2 = delta3.T @ A / m + weight_decay * W2
    gb1 = delta2.mean(axis=0)
    gb2 = delta3.mean(axis=0)
    return gW1, gW2, gb1, gb2
""",
    "columns": """
def sparse_gradient(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    data = X.T
    m = data.shape[1]
    z2 = W1 @ data + b1[:, None]
    a2 = 1 / (1 + np.exp(-z2))
    z3 = W2 @ a2 + b2[:, None]
    a3 = 1 / (1 + np.exp(-z3))
    rho = a2.mean(axis=1)
    d3 = -(data - a3) * a3 * (1 - a3)
    sp = sparsity_weight * (-sparsity_target / rho + (1 - sparsity_target) / (1 - rho))
    d2 = (W2.T @ d3 + sp[:, None]) * a2 * (1 - a2)
    g1 = d2 @ data.T / m + weight_decay * W1
    g2 = d3 @ a2.T / m + weight_decay * W2
    h1 = d2.mean(axis=1)
    h2 = d3.mean(axis=1)
    return g1, g2, h1, h2
""",
    "compact": """
def sparse_gradient(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    A = 1 / (1 + np.exp(-(X @ W1.T + b1)))
    Y = 1 / (1 + np.exp(-(A @ W2.T + b2)))
    r = A.mean(axis=0)
    d3 = (Y - X) * Y * (1 - Y)
    d2 = (d3 @ W2 + sparsity_weight * (-sparsity_target / r + (1 - sparsity_target) / (1 - r))) * A * (1 - A)
    return d2.T @ X / len(X) + weight_decay * W1, d3.T @ A / len(X) + weight_decay * W2, d2.mean(axis=0), d3.mean(axis=0)
""",
    "loop": """
def sparse_gradient(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    m = len(X)
    A = 1 / (1 + np.exp(-(X @ W1.T + b1)))
    Y = 1 / (1 + np.exp(-(A @ W2.T + b2)))
    rho = A.mean(axis=0)
    push = sparsity_weight * (-sparsity_target / rho + (1 - sparsity_target) / (1 - rho))
    G1 = np.zeros_like(W1)
    G2 = np.zeros_like(W2)
    h1 = np.zeros_like(b1)
    h2 = np.zeros_like(b2)
    for i in range(m):
        x = X[i]
        a = A[i]
        y = Y[i]
        d3 = (y - x) * y * (1 - y)
        d2 = (W2.T @ d3 + push) * a * (1 - a)
        G1 += np.outer(d2, x)
        G2 += np.outer(d3, a)
        h1 += d2
        h2 += d3
    return G1 / m + weight_decay * W1, G2 / m + weight_decay * W2, h1 / m, h2 / m
""",
    "helpers": """
def f(z):
    return 1 / (1 + np.exp(-z))

def slope(a):
    return a * (1 - a)

def kl_slope(p, q):
    return (q - p) / (q * (1 - q))

def sparse_gradient(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    A = f(X @ W1.T + b1)
    Y = f(A @ W2.T + b2)
    delta3 = (Y - X) * slope(Y)
    penalty = sparsity_weight * kl_slope(sparsity_target, np.mean(A, axis=0))
    delta2 = (delta3 @ W2 + penalty) * slope(A)
    n_examples = X.shape[0]
    grad_W2 = np.dot(delta3.T, A) / n_examples
    grad_W1 = np.dot(delta2.T, X) / n_examples
    grad_W2 += weight_decay * W2
    grad_W1 += weight_decay * W1
    return grad_W1, grad_W2, np.mean(delta2, axis=0), np.mean(delta3, axis=0)
""",
}

STYLES["numerical_gradient"] = {
    "plain": """
def numerical_gradient(f, theta, step):
    gradient = np.zeros_like(theta)
    for i in range(len(theta)):
        unit = np.zeros_like(theta)
        unit[i] = step
        gradient[i] = (f(theta + unit) - f(theta - unit)) / (2 * step)
    return gradient
""",
    "identity": """
def numerical_gradient(f, theta, step):
    slopes = []
    for e in np.eye(len(theta)):
        above = f(theta + step * e)
        below = f(theta - step * e)
        slopes.append((above - below) / (2 * step))
    return np.array(slopes)
""",
    "copy": """
def numerical_gradient(f, theta, step):
    gradient = np.empty(len(theta))
    for i in range(len(theta)):
        t = theta.copy()
        t[i] = theta[i] + step
        high = f(t)
        t[i] = theta[i] - step
        low = f(t)
        gradient[i] = (high - low) / step / 2
    return gradient
""",
}

STYLES["flatten"] = {
    "plain": """
def flatten(W1, W2, b1, b2):
    return np.concatenate([W1.ravel(), W2.ravel(), b1, b2])
""",
    "in steps": """
def flatten(W1, W2, b1, b2):
    weights = np.concatenate((W1.reshape(-1), W2.reshape(-1)))
    biases = np.concatenate((b1, b2))
    return np.concatenate((weights, biases))
""",
    "lists": """
def flatten(W1, W2, b1, b2):
    theta = []
    for part in (W1, W2, b1, b2):
        theta.extend(np.ravel(part))
    return np.array(theta)
""",
}

STYLES["normalize_patches"] = {
    "plain": """
def normalize_patches(patches):
    centred = patches - patches.mean(axis=1, keepdims=True)
    limit = 3 * centred.std()
    clipped = np.clip(centred, -limit, limit)
    return (clipped / limit + 1) * 0.4 + 0.1
""",
    "minimum": """
def normalize_patches(patches):
    means = np.mean(patches, axis=1)
    X = patches - means[:, None]
    s = 3 * np.std(X)
    X = np.maximum(np.minimum(X, s), -s) / s
    return 0.1 + 0.8 * (X + 1) / 2
""",
    "loop": """
def normalize_patches(patches):
    rows = []
    for patch in patches:
        rows.append(patch - patch.mean())
    X = np.array(rows)
    limit = 3 * np.sqrt(np.mean(X ** 2))
    scaled = np.clip(X / limit, -1, 1)
    return 0.5 + 0.4 * scaled
""",
}

STYLES["maximal_inputs"] = {
    "plain": """
def maximal_inputs(W1):
    norms = np.sqrt(np.sum(W1 ** 2, axis=1, keepdims=True))
    return W1 / norms
""",
    "norm": """
def maximal_inputs(W1):
    lengths = np.linalg.norm(W1, axis=1)
    return W1 / lengths[:, None]
""",
    "loop": """
def maximal_inputs(W1):
    inputs = np.zeros_like(W1)
    for i in range(len(W1)):
        w = W1[i]
        inputs[i] = w / np.sqrt(w @ w)
    return inputs
""",
    "einsum": """
def maximal_inputs(W1):
    squares = np.einsum('ij,ij->i', W1, W1)
    return (W1.T / np.sqrt(squares)).T
""",
}

STYLES["sample_patches"] = {
    "plain": """
def sample_patches(images, n_patches, patch_size, seed):
    rng = np.random.default_rng(seed)
    patches = np.empty((n_patches, patch_size ** 2))
    for i in range(n_patches):
        image = images[rng.integers(len(images))]
        row = rng.integers(image.shape[0] - patch_size + 1)
        column = rng.integers(image.shape[1] - patch_size + 1)
        patch = image[row:row + patch_size, column:column + patch_size]
        patches[i] = patch.ravel()
    return patches
""",
    "list": """
def sample_patches(images, n_patches, patch_size, seed):
    rng = np.random.default_rng(seed)
    patches = []
    for _ in range(n_patches):
        k = rng.integers(0, len(images))
        height, width = images[k].shape
        r = rng.integers(0, height - patch_size + 1)
        c = rng.integers(0, width - patch_size + 1)
        patches.append(images[k][r:r + patch_size, c:c + patch_size].flatten())
    return np.array(patches)
""",
    "helper": """
def corner(rng, length, p):
    return rng.integers(length - p, endpoint=True)

def sample_patches(images, n_patches, patch_size, seed):
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(images), size=n_patches)
    rows = []
    for k in chosen:
        image = images[k]
        r = corner(rng, image.shape[0], patch_size)
        c = corner(rng, image.shape[1], patch_size)
        rows.append(image[r:r + patch_size, c:c + patch_size].reshape(-1))
    return np.stack(rows)
""",
}

# Right, but not taken apart: what is asked of these is that they are accepted.
ALSO_RIGHT: dict[str, dict[str, str]] = {
    "sparse_gradient": {
        "float32": STYLES["sparse_gradient"]["plain"]
        .replace("m = len(X)", "m = len(X)\n    X = X.astype(np.float32)")
        .replace(
            "return gW1, gW2, gb1, gb2",
            "return [g.astype(np.float32) for g in (gW1, gW2, gb1, gb2)]",
        ),
        "flat vector": STYLES["sparse_gradient"]["plain"].replace(
            "return gW1, gW2, gb1, gb2",
            "return np.concatenate([gW1.ravel(), gW2.ravel(), gb1, gb2])",
        ),
        "Parameters": STYLES["sparse_gradient"]["plain"].replace(
            "return gW1, gW2, gb1, gb2", "return saelib.Parameters(gW1, gW2, gb1, gb2)"
        ),
        "dictionary": STYLES["sparse_gradient"]["plain"].replace(
            "return gW1, gW2, gb1, gb2", "return dict(W1=gW1, W2=gW2, b1=gb1, b2=gb2)"
        ),
        "class": """
class Gradient:
    def f(self, z):
        return 1 / (1 + np.exp(-z))

    def __call__(self, W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
        A = self.f(X @ W1.T + b1)
        Y = self.f(A @ W2.T + b2)
        r = A.mean(0)
        d3 = (Y - X) * Y * (1 - Y)
        d2 = (d3 @ W2 + sparsity_weight * (r - sparsity_target) / r / (1 - r)) * A * (1 - A)
        m = len(X)
        return d2.T @ X / m + weight_decay * W1, d3.T @ A / m + weight_decay * W2, d2.mean(0), d3.mean(0)

sparse_gradient = Gradient()
""",
        "blocks": """
def sparse_gradient(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    def f(z):
        return 1 / (1 + np.exp(-z))
    m, size = len(X), 2
    r = sum(f(X[k:k + size] @ W1.T + b1).sum(0) for k in range(0, m, size)) / m
    push = sparsity_weight * (r - sparsity_target) / (r * (1 - r))
    g = [0 * W1, 0 * W2, 0 * b1, 0 * b2]
    for k in range(0, m, size):
        x = X[k:k + size]
        a = f(x @ W1.T + b1)
        y = f(a @ W2.T + b2)
        d3 = (y - x) * y * (1 - y)
        d2 = (d3 @ W2 + push) * a * (1 - a)
        for total, part in zip(g, (d2.T @ x, d3.T @ a, d2.sum(0), d3.sum(0))):
            total += part / m
    return g[0] + weight_decay * W1, g[1] + weight_decay * W2, g[2], g[3]
""",
        "jax": """
def sparse_gradient(W1, W2, b1, b2, X, weight_decay, sparsity_target, sparsity_weight):
    import jax
    import jax.numpy as jnp
    def J(W1, W2, b1, b2):
        A = jax.nn.sigmoid(X @ W1.T + b1)
        Y = jax.nn.sigmoid(A @ W2.T + b2)
        r, p = A.mean(0), sparsity_target
        kl = p * jnp.log(p / r) + (1 - p) * jnp.log((1 - p) / (1 - r))
        decay = weight_decay / 2 * ((W1 ** 2).sum() + (W2 ** 2).sum())
        return ((Y - X) ** 2).sum() / 2 / len(X) + decay + sparsity_weight * kl.sum()
    with jax.enable_x64(True):
        gradients = jax.grad(J, argnums=(0, 1, 2, 3))(W1, W2, b1, b2)
    return tuple(np.asarray(g) for g in gradients)
""",
    },
    "mean_activation": {
        "recursion": """
def mean_activation(A):
    def total(rows):
        return rows[0] if len(rows) == 1 else rows[0] + total(rows[1:])
    return total(A) / len(A)
""",
    },
    "numerical_gradient": {
        "in place": """
def numerical_gradient(f, theta, step):
    t, g = theta.copy(), np.empty(len(theta))
    for i in range(len(t)):
        t[i] -= step
        low = f(t)
        t[i] += 2 * step
        g[i] = (f(t) - low) / (2 * step)
        t[i] -= step
    return g
""",
    },
    "cost": {
        "float32": STYLES["cost"]["plain"].replace("m = len(X)", "m, X = len(X), X.astype('f')"),
    },
}

# Exercises on dictionaries.
STYLES["superposition_gradient"] = {
    "plain": """
def superposition_gradient(W, b, X):
    m = len(X)
    H = X @ W.T
    Z = H @ W + b
    delta = (np.maximum(Z, 0) - X) * (Z > 0)
    gW = (H.T @ delta + (delta @ W.T).T @ X) / m
    return gW, delta.sum(axis=0) / m
""",
    "two paths": """
def superposition_gradient(W, b, X):
    hidden = X @ W.T
    z = hidden @ W + b
    out = np.where(z > 0, z, 0)
    d = np.where(z > 0, out - X, 0)
    read = hidden.T @ d
    write = W @ d.T @ X
    g = (read + write) / X.shape[0]
    return g, d.mean(axis=0)
""",
    "loop": """
def superposition_gradient(W, b, X):
    m = len(X)
    gW = np.zeros_like(W)
    gb = np.zeros_like(b)
    for x in X:
        h = W @ x
        z = W.T @ h + b
        d = (np.maximum(z, 0) - x) * (z > 0)
        gW += np.outer(h, d)
        gW += np.outer(W @ d, x)
        gb += d
    return gW / m, gb / m
""",
}

STYLES["l1_gradient"] = {
    "plain": """
def l1_gradient(W1, W2, b1, b2, X, sparsity_weight):
    m = len(X)
    Z = X @ W1.T + b1
    A = np.maximum(Z, 0)
    delta3 = A @ W2.T + b2 - X
    delta2 = (delta3 @ W2 + sparsity_weight) * (Z > 0)
    gW1 = delta2.T @ X / m
    gW2 = delta3.T @ A / m
    return gW1, gW2, delta2.mean(axis=0), delta3.mean(axis=0)
""",
    "columns": """
def l1_gradient(W1, W2, b1, b2, X, sparsity_weight):
    data = X.T
    m = data.shape[1]
    z2 = W1 @ data + b1[:, None]
    a2 = z2 * (z2 > 0)
    d3 = W2 @ a2 + b2[:, None] - data
    d2 = (W2.T @ d3 + sparsity_weight) * (z2 > 0)
    g1 = d2 @ data.T / m
    g2 = d3 @ a2.T / m
    return g1, g2, d2.sum(axis=1) / m, d3.sum(axis=1) / m
""",
    "loop": """
def l1_gradient(W1, W2, b1, b2, X, sparsity_weight):
    m = len(X)
    G1 = np.zeros_like(W1)
    G2 = np.zeros_like(W2)
    h1 = np.zeros_like(b1)
    h2 = np.zeros_like(b2)
    for x in X:
        z = W1 @ x + b1
        a = np.maximum(z, 0)
        d3 = W2 @ a + b2 - x
        d2 = (W2.T @ d3 + sparsity_weight) * (z > 0)
        G1 += np.outer(d2, x)
        G2 += np.outer(d3, a)
        h1 += d2
        h2 += d3
    return G1 / m, G2 / m, h1 / m, h2 / m
""",
}

STYLES["project_gradient"] = {
    "plain": """
def project_gradient(gradient, W2):
    return gradient - W2 * np.sum(gradient * W2, axis=0)
""",
    "einsum": """
def project_gradient(gradient, W2):
    shares = np.einsum('nh,nh->h', gradient, W2)
    along = W2 * shares
    return gradient - along
""",
    "loop": """
def project_gradient(gradient, W2):
    result = np.zeros_like(gradient)
    for j in range(W2.shape[1]):
        d = W2[:, j]
        g = gradient[:, j]
        result[:, j] = g - d * (g @ d)
    return result
""",
    "diagonal": """
def project_gradient(gradient, W2):
    share = np.diag(W2.T @ gradient)
    return gradient - W2 @ np.diag(share)
""",
}

STYLES["unexplained"] = {
    "plain": """
def unexplained(X, X_hat):
    left = np.sum((X - X_hat) ** 2)
    return left / np.sum((X - X.mean(axis=0)) ** 2)
""",
    "variances": """
def unexplained(X, X_hat):
    error = np.mean((X - X_hat) ** 2, axis=0)
    variance = X.var(axis=0)
    return error.sum() / variance.sum()
""",
    "norms": """
def unexplained(X, X_hat):
    mean = np.mean(X, axis=0)
    above = np.linalg.norm(X - X_hat) ** 2
    below = np.linalg.norm(X - mean) ** 2
    return above / below
""",
    "loop": """
def unexplained(X, X_hat):
    mean = X.mean(axis=0)
    left = 0.0
    spread = 0.0
    for x, y in zip(X, X_hat):
        left += np.sum((x - y) ** 2)
        spread += np.sum((x - mean) ** 2)
    return left / spread
""",
}

STYLES["top_k"] = {
    "plain": """
def top_k(Z, k):
    least = np.sort(Z, axis=1)[:, -k, None]
    mask = (least <= Z) & (Z > 0)
    return Z * mask, mask.astype(float)
""",
    "loop": """
def top_k(Z, k):
    A = np.zeros_like(Z)
    slope = np.zeros_like(Z)
    for i in range(len(Z)):
        for j in np.argsort(Z[i])[-k:]:
            if Z[i, j] > 0:
                A[i, j] = Z[i, j]
                slope[i, j] = 1
    return A, slope
""",
    "relu first": """
def top_k(Z, k):
    R = np.maximum(Z, 0)
    order = np.argsort(-R, axis=1)
    keep = np.zeros_like(Z)
    np.put_along_axis(keep, order[:, :k], 1.0, axis=1)
    A = R * keep
    return A, (A > 0) * 1.0
""",
}

STYLES["straight_through"] = {
    "plain": """
def straight_through(Z, back, threshold, sparsity_weight, bandwidth):
    window = np.abs(Z - threshold) < bandwidth / 2
    terms = window * (threshold * back + sparsity_weight)
    return -terms.mean(axis=0) / bandwidth
""",
    "in steps": """
def straight_through(Z, back, threshold, sparsity_weight, bandwidth):
    m = Z.shape[0]
    low = threshold - bandwidth / 2
    high = threshold + bandwidth / 2
    inside = (Z > low) & (Z < high)
    kernel = inside / bandwidth
    bracket = threshold * back + sparsity_weight
    return -np.sum(kernel * bracket, axis=0) / m
""",
    "loop": """
def straight_through(Z, back, threshold, sparsity_weight, bandwidth):
    m, h = Z.shape
    estimate = np.zeros(h)
    for j in range(h):
        for i in range(m):
            if abs(Z[i, j] - threshold[j]) < bandwidth / 2:
                estimate[j] -= threshold[j] * back[i, j] + sparsity_weight
    return estimate / (m * bandwidth)
""",
}

STYLES["nested_back"] = {
    "plain": """
def nested_back(errors, W2, prefixes):
    back = np.empty((errors.shape[1], W2.shape[1]))
    starts, running = (0, *prefixes[:-1]), 0
    for q in reversed(range(len(prefixes))):
        running = running + errors[q] / len(prefixes)
        block = slice(starts[q], prefixes[q])
        back[:, block] = running @ W2[:, block]
    return back
""",
    "prefixes": """
def nested_back(errors, W2, prefixes):
    back = np.zeros((errors.shape[1], W2.shape[1]))
    for error, end in zip(errors, prefixes):
        back[:, :end] += error @ W2[:, :end]
    return back / len(prefixes)
""",
    "joined": """
def nested_back(errors, W2, prefixes):
    edges = [0, *prefixes]
    parts = []
    for q in range(len(prefixes)):
        error = errors[q:].sum(axis=0) / len(prefixes)
        parts.append(error @ W2[:, edges[q]:edges[q + 1]])
    return np.hstack(parts)
""",
}

STYLES["shared_units"] = {
    "plain": """
def shared_units(W2, other):
    from scipy.optimize import linear_sum_assignment
    one = W2 / np.linalg.norm(W2, axis=0)
    cosines = one.T @ (other / np.linalg.norm(other, axis=0))
    pairs = linear_sum_assignment(cosines, maximize=True)
    return np.mean(cosines[pairs] > 0.9)
""",
    "minus": """
def shared_units(W2, other):
    from scipy.optimize import linear_sum_assignment
    products = W2.T @ other
    norms = np.sqrt(np.sum(W2 ** 2, axis=0))
    others = np.sqrt(np.sum(other ** 2, axis=0))
    cosines = products / np.outer(norms, others)
    rows, columns = linear_sum_assignment(-cosines)
    close = cosines[rows, columns] > 0.9
    return close.sum() / len(close)
""",
    "loop": """
def shared_units(W2, other):
    from scipy.optimize import linear_sum_assignment
    A = W2 / np.sqrt((W2 ** 2).sum(axis=0))
    B = other / np.sqrt((other ** 2).sum(axis=0))
    C = A.T @ B
    count = 0
    for i, j in zip(*linear_sum_assignment(1 - C)):
        if C[i, j] > 0.9:
            count += 1
    return count / W2.shape[1]
""",
}

STYLES["best_f1"] = {
    "plain": """
def best_f1(scores, truth):
    order = np.argsort(-scores)
    hits, yes = np.cumsum(truth[order]), np.arange(1, len(scores) + 1)
    f1 = 2 * hits / (yes + truth.sum())
    ends = np.append(np.diff(scores[order]) != 0, True)
    return f1[ends].max()
""",
    "thresholds": """
def best_f1(scores, truth):
    best = 0.0
    for threshold in np.unique(scores):
        yes = scores >= threshold
        hits = np.sum(yes & truth)
        best = max(best, 2 * hits / (yes.sum() + truth.sum()))
    return best
""",
    "precision and recall": """
def best_f1(scores, truth):
    found = []
    for threshold in np.unique(scores):
        yes = scores >= threshold
        precision = truth[yes].mean()
        recall = yes[truth].mean()
        if precision + recall > 0:
            found.append(2 * precision * recall / (precision + recall))
    return max(found)
""",
}

STYLES["without_unit"] = {
    "plain": """
def without_unit(stream, A, W2, unit, scale):
    return stream - A[:, [unit]] * W2[:, unit] / scale
""",
    "outer": """
def without_unit(stream, A, W2, unit, scale):
    written = np.outer(A[:, unit], W2[:, unit])
    return stream - written / scale
""",
    "loop": """
def without_unit(stream, A, W2, unit, scale):
    left = stream.copy()
    for i in range(len(A)):
        left[i] = left[i] - A[i, unit] * W2[:, unit] / scale
    return left
""",
    "silenced": """
def without_unit(stream, A, W2, unit, scale):
    alone = np.zeros_like(A)
    alone[:, unit] = A[:, unit]
    return stream - alone @ W2.T / scale
""",
}
