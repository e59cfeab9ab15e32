/** Children of a node: four of them lie side by side in memory, so the heap is half as deep at about the same price a level. */
const arity = 4;

/**
 * A min-heap: what is due first comes out first; of two that are due together, the one that went in first. Keys, orders
 * and items are arrays of their own: millions of small objects would cost more than the sorting.
 */
export class Heap<Item> {
  private readonly keys: number[] = [];
  private readonly orders: number[] = [];
  private readonly items: Item[] = [];
  private inserted = 0;

  get size(): number {
    return this.keys.length;
  }

  /** Of what `pop` returns next; infinite for nothing. */
  get firstKey(): number {
    return this.keys[0] ?? Infinity;
  }

  push(key: number, item: Item): void {
    const order = this.inserted++;
    let index = this.keys.length;
    // The arrays grow by a place that is filled at the end.
    this.put(index, key, order, item);
    while (index > 0) {
      const parent = Math.floor((index - 1) / arity);
      if (this.isBefore(parent, key, order)) break;
      this.move(parent, index);
      index = parent;
    }
    this.put(index, key, order, item);
  }

  pop(): Item | undefined {
    const { keys, orders, items } = this;
    const first = items[0];
    const key = keys.pop();
    const order = orders.pop();
    const item = items.pop();
    const { length } = keys;
    if (key === undefined || order === undefined || item === undefined || length === 0) return first;
    let index = 0;
    for (;;) {
      let child = index * arity + 1;
      if (child >= length) break;
      const end = Math.min(child + arity, length);
      for (let other = child + 1; other < end; other += 1) {
        if (this.isBefore(other, keys[child] ?? 0, orders[child] ?? 0)) child = other;
      }
      if (!this.isBefore(child, key, order)) break;
      this.move(child, index);
      index = child;
    }
    this.put(index, key, order, item);
    return first;
  }

  private isBefore(index: number, key: number, order: number): boolean {
    const other = this.keys[index] ?? Infinity;
    return other < key || (other === key && (this.orders[index] ?? 0) < order);
  }

  private move(from: number, to: number): void {
    this.put(to, this.keys[from] ?? 0, this.orders[from] ?? 0, this.items[from] as Item);
  }

  private put(index: number, key: number, order: number, item: Item): void {
    this.keys[index] = key;
    this.orders[index] = order;
    this.items[index] = item;
  }
}
