/**
 * Number of children of a node. Four lie side by side in memory: the heap is half as deep, and a level costs hardly
 * more.
 */
const arity = 4;

/**
 * A min-heap. `pop` returns the item with the smallest key and, of several such items, the one that was added first.
 * Keys, orders and items are in three arrays, because millions of small objects would cost more time than the sorting.
 */
export class Heap<Item> {
  private readonly keys: number[] = [];
  private readonly orders: number[] = [];
  private readonly items: Item[] = [];
  private inserted = 0;

  get size(): number {
    return this.keys.length;
  }

  /** Key of the item that `pop` returns next; `Infinity` if the heap is empty. */
  get firstKey(): number {
    return this.keys[0] ?? Infinity;
  }

  push(key: number, item: Item): void {
    const order = this.inserted++;
    let index = this.keys.length;
    // This only makes the arrays longer by one. The new item gets its final place below.
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
