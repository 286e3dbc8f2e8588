/**
 * A strict parser of XML 1.0 with namespaces, for what libvirt writes: no document types, and of the text only what
 * stands before the first child. A whole DOM takes ten times as long to make, and libvirt has one document for each
 * domain.
 */

export interface Element {
  readonly localName: string;
  readonly namespaceURI: string | null;
  /** By their names as written. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Element[];
  /** Up to the first child, be that an element, a comment or a processing instruction. */
  readonly text: string;
}

type Namespaces = ReadonlyMap<string, string>;

interface OpenElement extends Element {
  readonly name: string;
  readonly namespaces: Namespaces;
  readonly attributes: Map<string, string>;
  readonly children: Element[];
  text: string;
  /** Whether a child has come, so that further text does not count. */
  hasChild: boolean;
}

/** Beyond ASCII any letter will do: what is no name there, libvirt has refused. */
const PART = '[A-Z_a-z\\x80-\\uffff][-.\\w\\x80-\\uffff]*';
const NAME = `(?:${PART}:)?${PART}`;
const START_TAG = new RegExp(`<(${NAME})`, 'y');
const END_TAG = new RegExp(`</(${NAME})[ \\t\\n]*>`, 'y');
const ATTRIBUTE = new RegExp(`[ \\t\\n]+(${NAME})[ \\t\\n]*=[ \\t\\n]*(?:"([^<"]*)"|'([^<']*)')`, 'y');
const TAG_CLOSE = /[ \t\n]*(\/?)>/y;
const INSTRUCTION = new RegExp(`<\\?(${PART})(?:[ \\t\\n][^]*?)?\\?>`, 'y');
/** What no document may have, not even as a reference. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones.
const NO_CHARACTER = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;
const REFERENCE = /&(?:#(\d{1,7})|#x([\dA-Fa-f]{1,6})|(\w+));|&/g;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';
const BUILT_IN: Namespaces = new Map([['xml', XML_NAMESPACE]]);

/** The root element. Throws when the text is not well-formed. */
export function parseXml(source: string): Element {
  return new Parser(source).parse();
}

class Parser {
  readonly #source: string;
  readonly #open: OpenElement[] = [];
  #root: Element | undefined;
  #at = 0;

  constructor(source: string) {
    // XML 1.0's line ends only: U+0085 and U+2028 may stand in an instance's name.
    this.#source = source.includes('\r') ? source.replace(/\r\n?/g, '\n') : source;
  }

  parse(): Element {
    const source = this.#source;
    const bad = source.search(NO_CHARACTER);
    if (bad >= 0) throw this.#fault('a character that XML does not have', bad);
    while (this.#at < source.length) {
      const tag = source.indexOf('<', this.#at);
      if (tag !== this.#at) this.#characters(tag < 0 ? source.length : tag);
      if (tag >= 0) this.#markup();
    }
    const unclosed = this.#open.at(-1);
    if (unclosed !== undefined) throw this.#fault(`no end of element ${unclosed.name}`);
    if (this.#root === undefined) throw this.#fault('no root element');
    return this.#root;
  }

  #characters(end: number): void {
    const raw = this.#source.slice(this.#at, end);
    const parent = this.#open.at(-1);
    if (parent === undefined) {
      if (/[^ \t\n\ufeff]/.test(raw)) throw this.#fault('text outside of the root element');
    } else {
      if (raw.includes(']]>')) throw this.#fault(']]> in text');
      if (!parent.hasChild || raw.includes('&')) this.#addText(parent, this.#resolved(raw));
    }
    this.#at = end;
  }

  #markup(): void {
    const source = this.#source;
    const at = this.#at;
    if (source.startsWith('</', at)) this.#endTag();
    else if (source.startsWith('<!--', at)) this.#comment();
    else if (source.startsWith('<![CDATA[', at)) this.#cdata();
    else if (source.startsWith('<?', at)) this.#instruction();
    else this.#startTag();
  }

  #startTag(): void {
    const [, name = ''] = this.#match(START_TAG, 'a tag');
    const attributes = new Map<string, string>();
    ATTRIBUTE.lastIndex = this.#at;
    for (let found = ATTRIBUTE.exec(this.#source); found !== null; found = ATTRIBUTE.exec(this.#source)) {
      const [, key = '', double, single = ''] = found;
      if (attributes.has(key)) throw this.#fault(`attribute ${key} twice`);
      attributes.set(key, this.#attributeValue(double ?? single));
      this.#at = ATTRIBUTE.lastIndex;
    }
    const [, empty] = this.#match(TAG_CLOSE, `attributes of ${name}`);
    const parent = this.#open.at(-1);
    if (parent === undefined && this.#root !== undefined) throw this.#fault('a second root element');
    const element = this.#element(name, attributes, parent?.namespaces ?? BUILT_IN);
    if (parent === undefined) this.#root = element;
    else {
      parent.children.push(element);
      parent.hasChild = true;
    }
    if (empty !== '/') this.#open.push(element);
  }

  #element(name: string, attributes: Map<string, string>, inherited: Namespaces): OpenElement {
    const namespaces = withDeclared(inherited, attributes);
    for (const key of attributes.keys()) {
      if (key.includes(':') && !key.startsWith('xmlns:')) this.#uriOf(key, namespaces);
    }
    const localName = name.slice(name.indexOf(':') + 1);
    const namespaceURI = localName === name ? namespaces.get('') || null : this.#uriOf(name, namespaces);
    return { name, localName, namespaceURI, namespaces, attributes, children: [], text: '', hasChild: false };
  }

  #attributeValue(raw: string): string {
    return this.#resolved(raw.includes('\n') || raw.includes('\t') ? raw.replace(/[\t\n]/g, ' ') : raw);
  }

  /** Of a name with a prefix. */
  #uriOf(name: string, namespaces: Namespaces): string {
    const prefix = name.slice(0, name.indexOf(':'));
    const uri = namespaces.get(prefix);
    if (uri === undefined || uri === '') throw this.#fault(`prefix ${prefix} without a namespace`);
    return uri;
  }

  #endTag(): void {
    const [, name] = this.#match(END_TAG, 'an end tag');
    const element = this.#open.pop();
    if (element?.name !== name) throw this.#fault(`the end of ${name}, which is not open`);
  }

  #comment(): void {
    const end = this.#source.indexOf('--', this.#at + 4);
    if (end < 0 || this.#source[end + 2] !== '>') throw this.#fault('a comment that does not end');
    this.#at = end + 3;
    this.#noteChild();
  }

  #cdata(): void {
    const parent = this.#open.at(-1);
    const end = this.#source.indexOf(']]>', this.#at);
    if (parent === undefined || end < 0) throw this.#fault('CDATA');
    this.#addText(parent, this.#source.slice(this.#at + 9, end));
    this.#at = end + 3;
  }

  #instruction(): void {
    const first = this.#at === 0;
    const [, target = ''] = this.#match(INSTRUCTION, 'a processing instruction');
    if (target.toLowerCase() === 'xml' && !first) throw this.#fault('an XML declaration that is not at the start');
    this.#noteChild();
  }

  #noteChild(): void {
    const parent = this.#open.at(-1);
    if (parent !== undefined) parent.hasChild = true;
  }

  #addText(parent: OpenElement, text: string): void {
    if (!parent.hasChild) parent.text += text;
  }

  #resolved(raw: string): string {
    if (!raw.includes('&')) return raw;
    return raw.replace(REFERENCE, (reference, decimal?: string, hex?: string, entity?: string) => {
      const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
      const text = Number.isNaN(code) ? ENTITIES[entity ?? ''] : characterOf(code);
      if (text === undefined) throw this.#fault(`reference ${reference}`);
      return text;
    });
  }

  #match(pattern: RegExp, what: string): RegExpExecArray {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source);
    if (found === null) throw this.#fault(`expected ${what}`);
    this.#at = pattern.lastIndex;
    return found;
  }

  #fault(what: string, at = this.#at): Error {
    return new Error(`XML is not well-formed at character ${at}: ${what}`);
  }
}

function withDeclared(inherited: Namespaces, attributes: ReadonlyMap<string, string>): Namespaces {
  let declared: Map<string, string> | undefined;
  for (const [key, value] of attributes) {
    if (key !== 'xmlns' && !key.startsWith('xmlns:')) continue;
    declared ??= new Map(inherited);
    declared.set(key.slice(6), value);
  }
  return declared ?? inherited;
}

function characterOf(code: number): string | undefined {
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  const text = String.fromCodePoint(code);
  return NO_CHARACTER.test(text) ? undefined : text;
}
