/** Elements, and lists of them that change in place: what stays the same is not touched, so nothing jumps. */

type Attributes = Readonly<Record<string, string>>;

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** An element of page.html. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`page.html has no #${id}`);
  return found as T;
}

export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node: Element, name: string, value: string | undefined): void {
  if (value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

export interface Row<T> {
  readonly root: HTMLElement;
  update(item: T): void;
  remove?(): void;
}

export interface KeyedList<T> {
  show(items: readonly T[]): void;
}

/**
 * The children of `parent`, one for each item; an item that is still there keeps its element, and with it the focus.
 */
export function keyedList<T>(
  parent: HTMLElement,
  keyOf: (item: T) => string,
  create: (item: T) => Row<T>,
): KeyedList<T> {
  let rows = new Map<string, Row<T>>();
  return {
    show(items) {
      const next = new Map<string, Row<T>>();
      for (const item of items) {
        const key = keyOf(item);
        const row = rows.get(key) ?? create(item);
        row.update(item);
        next.set(key, row);
      }
      for (const [key, row] of rows) {
        if (next.has(key)) continue;
        row.remove?.();
        row.root.remove();
      }
      let at: ChildNode | null = parent.firstChild;
      for (const { root } of next.values()) {
        if (root === at) at = at.nextSibling;
        else parent.insertBefore(root, at);
      }
      rows = next;
    },
  };
}
