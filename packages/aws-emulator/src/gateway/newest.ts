export interface Limits {
  readonly items: number;
  readonly bytes: number;
}

/** Keeps the newest items, by id and in order, within a number and an amount of memory. What is older is dropped. */
export class Newest<Item> {
  /** A Map keeps the order in which its keys came: the oldest is first. */
  private readonly kept = new Map<string, { readonly item: Item; readonly bytes: number }>();
  private bytes = 0;
  private droppedItems = 0;

  constructor(
    private readonly most: Limits,
    private readonly onDrop: (item: Item, key: string) => void,
  ) {}

  get size(): number {
    return this.kept.size;
  }

  /** How many were dropped since the start. */
  get dropped(): number {
    return this.droppedItems;
  }

  /** @returns its key: the id, or, where another item has that one, the id with a number. */
  add(id: string, item: Item, bytes: number): string {
    let key = id;
    for (let count = 2; this.kept.has(key); count += 1) key = `${id}.${count}`;
    this.kept.set(key, { item, bytes });
    this.bytes += bytes;
    // The newest item stays, whatever its size, because somebody looks for it.
    while (this.kept.size > 1 && (this.kept.size > this.most.items || this.bytes > this.most.bytes)) this.dropOldest();
    return key;
  }

  get(key: string): Item | undefined {
    return this.kept.get(key)?.item;
  }

  /** The newest first. */
  keys(): string[] {
    return [...this.kept.keys()].reverse();
  }

  /** The newest first. */
  items(): Item[] {
    return [...this.kept.values()].map(({ item }) => item).reverse();
  }

  /** They are not counted as dropped. @returns how many they were */
  clear(): number {
    const { size } = this.kept;
    this.kept.clear();
    this.bytes = 0;
    return size;
  }

  private dropOldest(): void {
    for (const [key, { item, bytes }] of this.kept) {
      this.kept.delete(key);
      this.bytes -= bytes;
      this.droppedItems += 1;
      this.onDrop(item, key);
      return;
    }
  }
}
