"""Add up over all ranks by hand: the ring of messages, and the mean of gradients."""

import torch
import torch.distributed as dist
from torch import Tensor, nn

from flightline.distributed.core import ring_schedule


def ring_all_reduce(tensor: Tensor, group: dist.ProcessGroup | None = None) -> Tensor:
    """Add up a tensor over all ranks, in place, along a ring.

    Parameters
    ----------
    tensor : Tensor
        Contiguous; of the same shape and type on every rank.
    group : ProcessGroup, optional
        The ranks that take part; all of them by default.

    Returns
    -------
    Tensor
        The same tensor, which now holds the sum.

    Raises
    ------
    ValueError
        If the tensor is not contiguous, so that its chunks would be copies.
    """
    if not tensor.is_contiguous():
        raise ValueError("the tensor is not contiguous. Call .contiguous() first.")
    group = group or dist.group.WORLD
    rank, ranks = dist.get_rank(group), dist.get_world_size(group)
    after, before = ((rank + way) % ranks for way in (1, -1))
    chunks = tensor.view(-1).tensor_split(ranks)
    for move in ring_schedule(rank, ranks):
        arrived = torch.empty_like(chunks[move.receive])
        pair = [
            dist.P2POp(dist.isend, chunks[move.send], group=group, group_peer=after),
            dist.P2POp(dist.irecv, arrived, group=group, group_peer=before),
        ]
        for work in dist.batch_isend_irecv(pair):
            work.wait()
        target = chunks[move.receive]
        _ = target.add_(arrived) if move.add else target.copy_(arrived)
    return tensor


def average_gradients(model: nn.Module) -> None:
    """Average the gradients over all ranks with our own ring.

    All parameters take part, in their order, on every rank. One without a gradient
    here counts as zero, and gets the mean of the others'; one that has none anywhere
    keeps none.

    Parameters
    ----------
    model : Module
        After its backward pass, not wrapped.
    """
    learned = [p for p in model.parameters() if p.requires_grad]
    if not learned:
        return
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in learned]
    there = [p.new_full((1,), float(p.grad is not None)) for p in learned]
    flat = torch.cat([part.reshape(-1) for part in (*grads, *there)])
    ring_all_reduce(flat)
    sizes = [p.numel() for p in learned]
    *sums, holders = torch.split(flat, [*sizes, len(learned)])
    for parameter, total, count in zip(learned, sums, holders.tolist(), strict=True):
        if count:
            mean = total.div_(dist.get_world_size()).view_as(parameter)
            parameter.grad = mean.to(parameter.dtype)
