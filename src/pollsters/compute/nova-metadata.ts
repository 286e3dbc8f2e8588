/** What Nova wrote about an instance into its domain's metadata. */
import { AgentError } from '../../errors.ts';
import { createIntern } from '../../util/interned.ts';
import { type Integer, parseInteger } from './integer.ts';
import { attribute, children, type Element, find, findAll, text } from './xml.ts';

type Texts = Readonly<Record<string, string | null>>;

interface Flavor {
  /** Nova writes it since 2025.2; undefined when it did not. */
  readonly id: string | undefined;
  readonly name: string;
  readonly vcpus: Integer;
  readonly ram: Integer;
  readonly disk: Integer;
  readonly ephemeral: Integer;
  readonly swap: Integer;
  /** Undefined when Nova did not say, which is not the same as none. */
  readonly extraSpecs: Texts | undefined;
}

export interface NovaMetadata {
  readonly name: string | null;
  readonly userId: string;
  readonly projectId: string;
  readonly flavor: Flavor;
  readonly imageId: string | undefined;
  /** Undefined when Nova did not say. */
  readonly imageMeta: Texts | undefined;
}

const NAMESPACE = 'http://openstack.org/xmlns/libvirt/nova/';
/** Instances have owners, flavors and images in common. */
const intern = createIntern();
/** Newest first: a domain that has both is read as the newer one says. */
const KNOWN_VERSIONS = ['1.1', '1.0'];

export interface NovaElement {
  readonly element: Element;
  /** The version of the namespace, when it is one that upstream does not know. */
  readonly unknownVersion: string | undefined;
}

/** Whether there is any sense in looking for Nova's element. */
export function mentionsNova(xml: string): boolean {
  return xml.includes(NAMESPACE);
}

/** Nova's element in the domain's metadata; undefined for a domain that is not Nova's. */
export function findNovaElement(domain: Element): NovaElement | undefined {
  const byVersion = new Map<string, Element>();
  for (const element of findAll(domain, 'metadata').flatMap((metadata) => children(metadata))) {
    const uri = element.namespaceURI ?? '';
    const version = uri.startsWith(NAMESPACE) ? uri.slice(NAMESPACE.length) : '';
    if (version !== '' && !byVersion.has(version)) byVersion.set(version, element);
  }
  for (const version of KNOWN_VERSIONS) {
    const element = byVersion.get(version);
    if (element !== undefined) return { element, unknownVersion: undefined };
  }
  const [first] = byVersion;
  return first === undefined ? undefined : { element: first[1], unknownVersion: first[0] };
}

/** Throws an error that names the element and what was expected of it. */
export function readNovaMetadata(root: Element): NovaMetadata {
  const image = findAll(root, 'root').find((element) => attribute(element, 'type') === 'image');
  const imageMeta = find(root, 'image');
  return {
    name: text(required(root, 'name')),
    userId: requiredAttribute(root, 'owner/user', 'uuid'),
    projectId: requiredAttribute(root, 'owner/project', 'uuid'),
    flavor: readFlavor(required(root, 'flavor')),
    imageId: image === undefined ? undefined : attributeOf(image, "root[@type='image']", 'uuid'),
    imageMeta: imageMeta === undefined ? undefined : readImageMeta(imageMeta),
  };
}

function readFlavor(flavor: Element): Flavor {
  const extraSpecs = find(flavor, 'extraSpecs');
  return {
    id: internOrNot(attribute(flavor, 'id') || undefined),
    name: attributeOf(flavor, 'flavor', 'name'),
    vcpus: integer(flavor, 'vcpus'),
    ram: integer(flavor, 'memory'),
    disk: integer(flavor, 'disk'),
    ephemeral: integer(flavor, 'ephemeral'),
    swap: integer(flavor, 'swap'),
    extraSpecs:
      extraSpecs === undefined
        ? undefined
        : Object.fromEntries(namedTexts(children(extraSpecs, 'extraSpec'), 'flavor/extraSpecs/extraSpec')),
  };
}

/** Elements with names of their own, in the order of upstream's keys; the properties may override them. */
const IMAGE_ELEMENTS = [
  ['container_format', 'containerFormat'],
  ['disk_format', 'diskFormat'],
  ['min_disk', 'minDisk'],
  ['min_ram', 'minRam'],
] as const;

function readImageMeta(image: Element): Texts {
  const entries: [string, string | null][] = [];
  const baseImage = attribute(image, 'uuid');
  if (baseImage !== undefined) entries.push(['base_image_ref', intern(baseImage)]);
  for (const [key, name] of IMAGE_ELEMENTS) {
    const element = find(image, name);
    if (element !== undefined) entries.push([key, internOrNot(text(element))]);
  }
  const properties = find(image, 'properties');
  if (properties !== undefined) {
    entries.push(...namedTexts(children(properties, 'property'), 'image/properties/property'));
  }
  // Object.fromEntries, here and above, because a key may be any text, `__proto__` included.
  return Object.fromEntries(entries);
}

function namedTexts(elements: readonly Element[], path: string): [string, string | null][] {
  return elements.map((element) => [attributeOf(element, path, 'name'), internOrNot(text(element))]);
}

/** An absent element counts as 0, as upstream has it; one that is no whole number is an error. */
function integer(flavor: Element, name: string): Integer {
  const element = find(flavor, name);
  if (element === undefined) return 0;
  const value = text(element);
  const parsed = value === null ? undefined : parseInteger(value);
  if (parsed === undefined) throw broken(`flavor/${name}`, `is ${JSON.stringify(value ?? '')}, expected an integer`);
  return parsed;
}

function required(root: Element, path: string): Element {
  const element = find(root, path);
  if (element === undefined) throw broken(path, 'is missing');
  return element;
}

function requiredAttribute(root: Element, path: string, name: string): string {
  return attributeOf(required(root, path), path, name);
}

function attributeOf(element: Element, path: string, name: string): string {
  const value = attribute(element, name);
  if (value === undefined) throw broken(path, `has no attribute '${name}'`);
  return intern(value);
}

function internOrNot<T extends null | undefined>(value: string | T): string | T {
  return typeof value === 'string' ? intern(value) : value;
}

function broken(path: string, problem: string): AgentError {
  return new AgentError('ERR_DOMAIN_XML', `element ${path} of the Nova metadata ${problem}`);
}
