/**
 * A cycle that can be reached from some nodes, as the nodes of it in their order with the first one again at the end;
 * undefined: there is none. `edges`: what each node waits for. Linear in nodes and edges, and of any depth.
 */
export function findCycle(
  edges: ReadonlyMap<string, readonly string[]>,
  from: Iterable<string>,
): string[] | undefined {
  const finished = new Set<string>();
  for (const start of from) {
    if (finished.has(start)) continue;
    const path: string[] = [start];
    const onPath = new Map([[start, 0]]);
    const next: Iterator<string>[] = [(edges.get(start) ?? []).values()];
    while (path.length > 0) {
      const step = next.at(-1)!.next();
      if (step.done) {
        const left = path.pop()!;
        next.pop();
        onPath.delete(left);
        finished.add(left);
        continue;
      }
      const node = step.value;
      const at = onPath.get(node);
      if (at !== undefined) return [...path.slice(at), node];
      if (finished.has(node)) continue;
      onPath.set(node, path.length);
      path.push(node);
      next.push((edges.get(node) ?? []).values());
    }
  }
  return undefined;
}
