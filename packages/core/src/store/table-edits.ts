/** The tables as one transaction, or one recovery, changes them: an editor for each table touched. */
import type { MaybePromise } from '../files/file-system.ts'
import type { Head } from './head.ts'
import type { NodeRef, TableRoot } from './node.ts'
import type { TableNames } from './table-names.ts'
import { type EditContext, TreeEditor } from './tree-editor.ts'

export class TableEdits {
  readonly #base: Head
  readonly #names: TableNames
  readonly #context: EditContext
  /** By table number. */
  readonly #editors: (TreeEditor | undefined)[] = []
  /** The table of the last change, which is often that of the next one. */
  #lastTable: string | undefined
  #lastEditor: TreeEditor | undefined
  readonly #droppedTrees: NodeRef[] = []

  constructor(base: Head, names: TableNames, context: EditContext) {
    this.#base = base
    this.#names = names
    this.#context = context
  }

  /** Trees that `clear` removed whole. */
  get droppedTrees(): readonly NodeRef[] {
    return this.#droppedTrees
  }

  put(table: string, key: Uint8Array, value: Uint8Array): MaybePromise<void> {
    return this.#editor(table).put(key, value)
  }

  delete(table: string, key: Uint8Array): MaybePromise<boolean> {
    return this.#editor(table).delete(key)
  }

  clear(table: string): void {
    const editor = this.#editor(table)
    if (editor.root !== undefined) this.#droppedTrees.push(editor.root)
    editor.clear()
  }

  get(table: string, key: Uint8Array): MaybePromise<Uint8Array | undefined> {
    const number = this.#names.find(table)
    if (number === undefined) return undefined
    const isThere = this.#editorAt(number) ?? this.#base.roots[number]
    return isThere === undefined ? undefined : this.#editorOf(number).get(key)
  }

  /** The tree of a table as it is now; later changes may show in it. */
  table(name: string): TableRoot | undefined {
    const number = this.#names.find(name)
    if (number === undefined) return undefined
    return this.#editorAt(number) ?? this.#base.roots[number]
  }

  /** From here on, changes leave what was read before untouched. */
  pin(): void {
    this.#context.token = this.#context.token.renewed()
  }

  /** The roots of all tables, as they are now. */
  roots(): (TableRoot | undefined)[] {
    const roots = this.#base.roots.slice()
    for (let number = 0; number < this.#editors.length; number++) {
      const editor = this.#editors[number]
      if (editor !== undefined) roots[number] = { root: editor.root, count: editor.count }
    }
    return roots
  }

  #editor(table: string): TreeEditor {
    if (table === this.#lastTable && this.#lastEditor !== undefined) return this.#lastEditor
    const editor = this.#editorOf(this.#names.numberOf(table))
    this.#lastTable = table
    this.#lastEditor = editor
    return editor
  }

  /** Reading an array beyond its end is slow, and every transaction begins with that. */
  #editorAt(number: number): TreeEditor | undefined {
    return number < this.#editors.length ? this.#editors[number] : undefined
  }

  #editorOf(number: number): TreeEditor {
    let editor = this.#editorAt(number)
    if (editor === undefined) {
      editor = new TreeEditor(this.#base.roots[number], this.#context)
      this.#editors[number] = editor
    }
    return editor
  }
}
