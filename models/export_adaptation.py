"""Writes the adaptation graph: losses of eq. 10 and gradients, in plain ONNX operators (`networks/adaptation.py`).

PyTorch's own backward pass is traced into one program of plain operators (`traced`), and each of these becomes an ONNX
node (`Writer`). Values that depend on no input are computed here and stored. Weights keep their names in the bundle,
so that the graph holds none and the bundle none twice.
"""
import numpy as np
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from torch._decomp import get_decompositions
from torch.fx.experimental.proxy_tensor import make_fx

from networks.adaptation import INPUTS, TERMS

COARSE = 8

aten = torch.ops.aten


# Operators of the backward pass that ONNX lacks, or that its runtimes run slowly, in terms of others.

def convolution_backward(grad, x, weight, bias_sizes, stride, padding, dilation, transposed, output_padding, groups,
                         mask):
    """Gradients (input, kernel, bias) of a plain convolution, None where `mask` is False. The input's is a convolution
    with the turned kernel, the kernel's a matrix product of outputs and inputs, one shifted against the other."""
    if transposed or groups != 1 or list(dilation) != [1, 1]:
        raise NotImplementedError("only plain convolutions are differentiated")
    (py, px), (ky, kx) = padding, weight.shape[2:]
    for_input = for_kernel = for_bias = None
    if mask[0] and list(stride) == [1, 1]:
        for_input = F.conv2d(grad, weight.flip(2, 3).transpose(0, 1), padding=(ky - 1 - py, kx - 1 - px))
    elif mask[0]:
        extra = [(n + 2 * p - k) % s for n, p, k, s in zip(x.shape[2:], padding, (ky, kx), stride)]
        for_input = F.conv_transpose2d(grad, weight, stride=stride, padding=padding, output_padding=extra)
    if mask[1]:
        if list(stride) != [1, 1]:
            raise NotImplementedError("kernels of strided convolutions are not adapted")
        # Shifts of one side along x, of the other along y: two small stacks give every tap in one product.
        across = torch.cat([F.pad(grad, (dx, kx - 1 - dx)) for dx in range(kx)], 1) if kx > 1 else grad
        rows = [F.pad(x, (px, px, py - dy, py - ky + 1 + dy)) for dy in range(ky)] if ky > 1 else [F.pad(x, (px, px))]
        down = torch.cat(rows, 1) if ky > 1 else rows[0]
        taps = torch.bmm(across.flatten(2), down.flatten(2).transpose(1, 2)).sum(0)     # [kx O, ky I]
        for_kernel = taps.view(kx, len(weight), ky, -1).permute(1, 3, 2, 0)
    if mask[2]:
        for_bias = grad.sum((0, 2, 3))
    return for_input, for_kernel, for_bias


def bilinear_backward(grad, output_size, input_size, align_corners, *scales):
    """Gradient of a bilinear doubling: the transposed matrices of both axes."""
    def matrix(small, large):
        at = np.maximum((np.arange(large) + 0.5) * small / large - 0.5, 0)
        low = at.astype(int)
        rows = np.zeros((large, small), np.float32)
        np.add.at(rows, (np.arange(large), low), 1 - (at - low))
        np.add.at(rows, (np.arange(large), np.minimum(low + 1, small - 1)), at - low)
        return torch.from_numpy(rows)
    down, across = (matrix(a, b) for a, b in zip(input_size[2:], output_size))
    return down.mT @ grad @ across


def leaky_relu_backward(grad, x, slope, is_result):
    """Gradient of a leaky ReLU. The slope comes from clamping: only subnormal float32 numbers fall between the limits,
    and runtimes are slow at selecting."""
    return grad * (x * 1e38).clamp(slope, 1)


def threshold_backward(grad, x, threshold):
    """Gradient of a ReLU."""
    if threshold != 0:
        raise NotImplementedError("only thresholds at 0 are differentiated")
    return leaky_relu_backward(grad, x, 0, False)


def slice_backward(grad, sizes, dim, start, end, step):
    """Gradient of a slice without gaps: zeros around it."""
    if step != 1:
        raise NotImplementedError("only slices without gaps are differentiated")
    start = min(start + sizes[dim] if start < 0 else start, sizes[dim])
    pads = [0, 0] * (len(sizes) - dim - 1) + [start, sizes[dim] - start - grad.shape[dim]]
    return F.pad(grad, pads)


PLAIN = {aten.convolution_backward.default: convolution_backward,
         aten.upsample_bilinear2d_backward.default: bilinear_backward,
         aten.slice_backward.default: slice_backward,
         aten.leaky_relu_backward.default: leaky_relu_backward,
         aten.threshold_backward.default: threshold_backward,
         **get_decompositions([aten.sigmoid_backward, aten.linalg_vector_norm, aten.select_backward])}


def traced(step, theta, inputs):
    """The step as a program of plain operators, from lists of tensors to (terms, gradients)."""
    names = list(theta)
    program = make_fx(lambda values, *rest: step(dict(zip(names, values)), *rest), decomposition_table=PLAIN)(
        list(theta.values()), *inputs)
    program.graph.eliminate_dead_code()
    program.recompile()
    return program


class Writer(torch.fx.Interpreter):
    """Runs a traced program and writes each operator that depends on an input as ONNX nodes."""

    SAME = {"mul.Tensor": "Mul", "mul.Scalar": "Mul", "add.Tensor": "Add", "sub.Tensor": "Sub", "div.Tensor": "Div",
            "div.Scalar": "Div", "bmm.default": "MatMul", "mm.default": "MatMul", "relu.default": "Relu",
            "abs.default": "Abs", "sigmoid.default": "Sigmoid", "exp.default": "Exp", "neg.default": "Neg",
            "sgn.default": "Sign", "sqrt.default": "Sqrt", "pow.Tensor_Scalar": "Pow", "where.self": "Where",
            "le.Scalar": "LessOrEqual", "gt.Scalar": "Greater", "eq.Scalar": "Equal", "clamp_min.default": "Max"}
    NOTHING = {"detach.default", "clone.default", "alias.default", "lift_fresh_copy.default"}
    SHAPES = {"view.default", "_unsafe_view.default", "unsqueeze.default", "squeeze.dim", "squeeze.dims",
              "reshape.default"}
    SHAPE_ONLY = ("zeros_like", "ones_like", "new_zeros", "full_like")
    REDUCTIONS = {"sum.dim_IntList": "ReduceSum", "sum.default": "ReduceSum", "mean.dim": "ReduceMean",
                  "mean.default": "ReduceMean", "amax.default": "ReduceMax"}
    OTHERS = {                                          # operator: method that writes it
        "expand.default": "expand", "t.default": "transpose", "transpose.int": "transpose",
        "permute.default": "transpose", "slice.Tensor": "slice", "select.int": "select", "flip.default": "flip",
        "cat.default": "concat", "stack.default": "concat", "split_with_sizes.default": "split",
        "convolution.default": "convolution", "addmm.default": "affine", "leaky_relu.default": "leaky_relu",
        "rsqrt.default": "rsqrt", "rsub.Scalar": "rsub", "clamp.default": "clamp", "constant_pad_nd.default": "pad",
        "upsample_bilinear2d.default": "resize", "upsample_bilinear2d.vec": "resize",
        "avg_pool2d.default": "average_pool", "max_pool2d_with_indices.default": "max_pool",
        "masked_fill_.Scalar": "masked_fill", "_to_copy.default": "cast"}

    def __init__(self, program, weights):
        """`weights`: {id of a parameter: its name in the bundle}."""
        super().__init__(program)
        self.weights, self.nodes, self.initializers, self.names, self.kept = weights, [], {}, {}, []

    def of(self, value):
        """The ONNX name of a tensor or number; one that no node computes is stored."""
        if isinstance(value, torch.Tensor) and id(value) in self.names:
            return self.names[id(value)]
        array = np.asarray(value.detach().numpy() if isinstance(value, torch.Tensor) else value)
        if array.dtype in (np.float64, np.int64) and not isinstance(value, torch.Tensor):
            array = array.astype(np.float32)
        return self.constant(array)

    def constant(self, array):
        """The name of a stored array, equal ones stored once."""
        array = np.asarray(array, order="C")
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.initializers:
            self.initializers[key] = numpy_helper.from_array(array, f"constant.{len(self.initializers)}")
        return self.initializers[key].name

    def integers(self, *values):
        """The name of a stored list of integers."""
        return self.constant(np.asarray(values, np.int64))

    def emit(self, kind, inputs, result=None, **attributes):
        """A node; gives its output's name, and makes that the name of `result`."""
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return self.call_it(result, name)

    def call_it(self, result, name):
        """Makes `name` the ONNX name of a tensor, and gives it."""
        if result is not None:
            self.names[id(result)] = name
            self.kept.append(result)                    # so that no other tensor gets its id
        return name

    def alike(self, value):
        """One matrix for a stored batch of equal ones, other values as they are."""
        one = id(value) not in self.names and bool((value == value[:1]).all())
        return value[0].clone() if one else value

    def get_attr(self, target, args, kwargs):
        """A weight of the program, under its name in the bundle."""
        value = super().get_attr(target, args, kwargs)
        if id(value) in self.weights:
            self.call_it(value, self.weights[id(value)])
        return value

    def call_function(self, target, args, kwargs):
        """Runs an operator, and writes it if it depends on an input."""
        result = super().call_function(target, args, kwargs)
        flat = [v for v in torch.utils._pytree.tree_leaves((args, kwargs)) if isinstance(v, torch.Tensor)]
        if any(id(v) in self.names for v in flat):
            self.write(getattr(target, "__name__", str(target)), args, kwargs, result)
        return result

    def write(self, op, args, kwargs, result):
        """Writes one operator `op` of ATen as ONNX nodes that compute `result`."""
        if op == "getitem" or op.startswith(self.SHAPE_ONLY):
            # Of split, which names its outputs itself; or only the shape is used: a constant.
            return
        if op in self.SAME:
            alpha = kwargs.get("alpha", 1)
            if alpha != 1:
                args = (args[0], args[1] * alpha)
            if op == "bmm.default":
                args = [self.alike(v) for v in args]
            self.emit(self.SAME[op], [self.of(v) for v in args], result)
        elif op in self.NOTHING:
            self.call_it(result, self.of(args[0]))
        elif op in self.SHAPES:
            self.emit("Reshape", [self.of(args[0]), self.integers(*result.shape)], result)
        elif op in self.REDUCTIONS:
            self.reduction(self.REDUCTIONS[op], args, result)
        elif op in self.OTHERS:
            getattr(self, self.OTHERS[op])(op, args, result)
        else:
            raise NotImplementedError(f"{op} has no ONNX counterpart here")

    def reduction(self, kind, args, result):
        """A reduction over the axes args[1], over all without them."""
        axes = [args[1]] if len(args) > 1 and isinstance(args[1], int) else list(args[1]) if len(args) > 1 else []
        axes = axes or list(range(args[0].dim()))
        self.emit(kind, [self.of(args[0]), self.integers(*axes)], result,
                  keepdims=int(len(args) > 2 and bool(args[2])))

    def expand(self, op, args, result):
        """Nothing where the shape stays."""
        if result.shape == args[0].shape:
            self.call_it(result, self.of(args[0]))
        else:
            self.emit("Expand", [self.of(args[0]), self.integers(*result.shape)], result)

    def transpose(self, op, args, result):
        """t, transpose and permute."""
        order = list(range(args[0].dim()))
        if op == "permute.default":
            order = [d % len(order) for d in args[1]]
        else:
            a, b = (0, 1) if op == "t.default" else (d % len(order) for d in args[1:])
            order[a], order[b] = order[b], order[a]
        self.emit("Transpose", [self.of(args[0])], result, perm=order)

    def slice(self, op, args, result):
        """A slice of one axis, without gaps."""
        dim, start, end = [*args[1:4], *(0, 0, 2 ** 62)[len(args) - 1:]]
        if result.shape == args[0].shape:
            self.call_it(result, self.of(args[0]))
        else:
            limits = [self.integers(start or 0), self.integers(end), self.integers(dim)]
            self.emit("Slice", [self.of(args[0]), *limits], result)

    def select(self, op, args, result):
        """One element of an axis."""
        self.emit("Gather", [self.of(args[0]), self.constant(np.asarray(args[2], np.int64))], result, axis=args[1])

    def flip(self, op, args, result):
        """Axes reversed: a slice backwards."""
        count = len(args[1])
        self.emit("Slice", [self.of(args[0]), self.integers(*[-1] * count), self.integers(*[-2 ** 62] * count),
                            self.integers(*args[1]), self.integers(*[-1] * count)], result)

    def concat(self, op, args, result):
        """cat and stack."""
        axis = args[1] if len(args) > 1 else 0
        parts = [self.of(v) for v in args[0]]
        if op == "stack.default":
            axis = axis % result.dim()
            parts = [self.emit("Unsqueeze", [part, self.integers(axis)]) for part in parts]
        self.emit("Concat", parts, result, axis=axis)

    def split(self, op, args, result):
        """A slice for each part; `result` is their list."""
        axis = args[2] if len(args) > 2 else 0
        at = np.cumsum([0, *args[1]])
        for part, begin, end in zip(result, at, at[1:]):
            self.emit("Slice", [self.of(args[0]), self.integers(begin), self.integers(end), self.integers(axis)], part)

    def convolution(self, op, args, result):
        """A convolution or a transposed one."""
        x, weight, bias, stride, padding, dilation, transposed, output_padding, groups = args
        inputs = [self.of(x), self.of(weight)] + ([self.of(bias)] if bias is not None else [])
        shape = dict(strides=stride, pads=[*padding, *padding], dilations=dilation, group=groups,
                     kernel_shape=list(weight.shape[2:]))
        if transposed:
            self.emit("ConvTranspose", inputs, result, output_padding=output_padding, **shape)
        else:
            self.emit("Conv", inputs, result, **shape)

    def affine(self, op, args, result):
        """A matrix product and a sum."""
        self.emit("Gemm", [self.of(args[1]), self.of(args[2]), self.of(args[0])], result)

    def leaky_relu(self, op, args, result):
        """A leaky ReLU."""
        self.emit("LeakyRelu", [self.of(args[0])], result, alpha=args[1] if len(args) > 1 else 0.01)

    def rsqrt(self, op, args, result):
        """1 over the square root."""
        self.emit("Reciprocal", [self.emit("Sqrt", [self.of(args[0])])], result)

    def rsub(self, op, args, result):
        """A number less a tensor."""
        self.emit("Sub", [self.of(args[1]), self.of(args[0])], result)

    def clamp(self, op, args, result):
        """Limits, of which either may be missing."""
        low, high = ([*args[1:], None, None])[:2]
        limits = ["" if v is None else self.constant(np.float32(v)) for v in (low, high)]
        self.emit("Clip", [self.of(args[0]), *limits], result)

    def pad(self, op, args, result):
        """Zeros around the last axes; negative counts cut."""
        pads, rank = args[1], args[0].dim()
        before, after = [0] * rank, [0] * rank
        for k in range(len(pads) // 2):
            before[rank - 1 - k], after[rank - 1 - k] = pads[2 * k], pads[2 * k + 1]
        self.emit("Pad", [self.of(args[0]), self.integers(*before, *after)], result)

    def resize(self, op, args, result):
        """Bilinear interpolation, corners not aligned."""
        self.emit("Resize", [self.of(args[0]), "", "", self.integers(*result.shape)], result, mode="linear",
                  coordinate_transformation_mode="half_pixel")

    def average_pool(self, op, args, result):
        """Means over windows."""
        self.emit("AveragePool", [self.of(args[0])], result, kernel_shape=list(args[1]),
                  strides=list(args[2]) if len(args) > 2 and args[2] else list(args[1]))

    def max_pool(self, op, args, result):
        """Maxima over windows; their places are not used."""
        x, kernel, stride, padding = args[:4]
        self.emit("MaxPool", [self.of(x)], result[0], kernel_shape=list(kernel), strides=list(stride),
                  pads=[*padding, *padding])

    def masked_fill(self, op, args, result):
        """In place in PyTorch: the tensor has the new name from here on."""
        self.emit("Where", [self.of(args[1]), self.of(args[2]), self.of(args[0])], result)

    def cast(self, op, args, result):
        """Another type of number."""
        kinds = {torch.float32: TensorProto.FLOAT, torch.int64: TensorProto.INT64, torch.bool: TensorProto.BOOL}
        self.emit("Cast", [self.of(args[0])], result, to=kinds[result.dtype])


def coarse_inputs(config, seed=0):
    """{name: tensor} of one step; pictures and mask as they are stored, an eighth of the size each way."""
    draw = torch.Generator().manual_seed(seed)
    frames, side = config["syncnet"]["frames"], config["image"] // COARSE
    picture = lambda: (torch.rand(frames, 3, side, side, generator=draw) * 1.6 - 0.8).half().float()
    lips = lambda: (torch.rand(frames, config["lip_hint"]["points"], 2, generator=draw) * 1.2 - 0.6).half().float()
    codes = (frames, 2 * len(config["channels"]), config["dim"])
    code = lambda: (torch.randn(*codes, generator=draw) * 0.3).half().float()
    sound = lambda: F.normalize(torch.randn(1, config["syncnet"]["dim"], generator=draw), dim=1).half().float()
    mask = torch.zeros(frames, 1, side, side)
    mask[:, :, side * 7 // 16: side * 15 // 16, side // 4: side * 3 // 4] = 1
    own = {"target": picture(), "hole": mask, "lips": lips(), "code": code(), "carried": picture(), "sound": sound()}
    return own | {"other_lips": lips(), "other_code": code(), "other_carried": picture(), "other_sound": sound(),
                  "weights": torch.tensor([10.0, 0.1, 0.1])}


def enlarged(coarse):
    """The inputs of the step in their order: pictures at full size, each stored pixel a square."""
    return [v.repeat_interleave(COARSE, 2).repeat_interleave(COARSE, 3) if v.dim() == 4 else v
            for v in (coarse[name] for name in INPUTS)]


def samples(gradient):
    """(at most 256 values of a gradient, evenly spread; its length): stored in the golden file."""
    flat = gradient.flatten()
    return flat[:: -(-len(flat) // 256)].numpy().copy(), np.float32(gradient.norm())


def write(step, inputs, weights, opset=18):
    """(ONNX model, names of the weights that it uses, {name: tensor} of its outputs) of an adaptation step.

    `weights`: {id of a parameter: its name in the bundle}."""
    theta = step.theta()
    program = traced(step, theta, inputs)
    writer = Writer(program, weights)
    values = [*theta.values(), *inputs]
    names = [f"theta.{k}" for k in theta] + INPUTS
    for value, name in zip(values, names):
        writer.call_it(value, name)
    with torch.no_grad():
        outputs = writer.run(*values)
    output_names = TERMS + [f"grad.{k}" for k in theta]
    nodes = list(writer.nodes)
    nodes += [helper.make_node("Identity", [writer.of(v)], [name]) for v, name in zip(outputs, output_names)]
    used = {name for node in nodes for name in node.input}
    taken = sorted(name for name in weights.values() if name in used)
    tensors = [t for t in writer.initializers.values() if t.name in used]
    info = lambda name, value: helper.make_tensor_value_info(name, TensorProto.FLOAT, list(value.shape))
    graph = helper.make_graph(nodes, "adaptation", [info(n, v) for n, v in zip(names, values) if n in used],
                              [info(n, v) for n, v in zip(output_names, outputs)], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="stylelipsync",
                              ir_version=9)
    return model, taken, dict(zip(output_names, outputs))
