package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// platform lists packages of the standard library that are others elsewhere.
var platform = map[string]bool{"syscall": true, "runtime/cgo": true, "log/syslog": true}

const notUsed = "declared and not used: "

// certain lists how errors begin that the rest of a package has no part in, whatever stands beside them.
var certain = []string{"missing return", "no new variables on left side of :=", "invalid recursive type", "label "}

// view is a file as far as it could be typed.
type view struct {
	file *ast.File
	pkg  *types.Package
	info *types.Info
	// incomplete remembers what isIncomplete said.
	incomplete map[types.Type]bool
}

// mendable says whether another file of the package, or its imports, could make an error go away: it is about what they
// declare, or stands in a statement where something of theirs does.
func (v view) mendable(one types.Error) bool {
	message := one.Msg
	switch {
	case strings.HasPrefix(message, "could not import"), strings.HasSuffix(message, "imported and not used"):
		return true
	case strings.Contains(message, "imported as") && strings.HasSuffix(message, "and not used"):
		return true
	case slices.ContainsFunc(certain, func(start string) bool { return strings.HasPrefix(message, start) }):
		return false
	case strings.Contains(message, "missing method"): // it may be declared beside, but not for a predeclared type
		return !predeclared(message)
	case strings.HasPrefix(message, "missing type in composite literal"), strings.Contains(message, "unknown type"):
		return true
	case strings.Contains(message, " redeclared"): // certain, unless by a name that was guessed
		return v.imported(one.Pos)
	case strings.Contains(message, "already declared through import of"):
		return true
	case strings.HasPrefix(message, notUsed):
		return v.unused(one.Pos, strings.TrimPrefix(message, notUsed))
	case strings.HasPrefix(message, "undefined: "):
		return !v.standard(strings.TrimPrefix(message, "undefined: "))
	case strings.Contains(message, "has no field or method"):
		return v.ours(one.Pos)
	}
	return v.unknown(v.statement(one.Pos)).IsValid()
}

// predeclared says whether a message is about a type of the language, which has all its methods.
func predeclared(message string) bool {
	before, _, found := strings.Cut(message, " does not implement ")
	name := before[strings.LastIndexByte(before, ' ')+1:]
	return found && types.Universe.Lookup(name) != nil
}

func (v view) imported(pos token.Pos) bool {
	for _, spec := range v.file.Imports {
		if spec.Pos() <= pos && pos < spec.End() {
			return true
		}
	}
	return false
}

// unused says whether a variable is named again in its declaration, and what names it may have been given up as unknown.
func (v view) unused(pos token.Pos, name string) bool {
	named := 0
	for _, declaration := range v.file.Decls {
		around := span{declaration.Pos(), declaration.End()}
		if !around.holds(pos) {
			continue
		}
		ast.Inspect(declaration, func(node ast.Node) bool {
			if found, ok := node.(*ast.Ident); ok && found.Name == name {
				named++
			}
			return true
		})
		return named > 1 && v.unknown(around).IsValid()
	}
	return false
}

// statement returns where the innermost statement, specification or declaration around pos is.
func (v view) statement(pos token.Pos) span {
	found := span{v.file.FileStart, v.file.FileEnd}
	ast.Inspect(v.file, func(node ast.Node) bool {
		if node == nil || pos < node.Pos() || node.End() <= pos {
			return false
		}
		switch node.(type) {
		case *ast.BlockStmt:
		case ast.Stmt, ast.Spec, ast.Decl:
			found = span{node.Pos(), node.End()}
		}
		return true
	})
	return found
}

// standard says whether a name is selected of a package whose names are all known.
func (v view) standard(name string) bool {
	before, _, qualified := strings.Cut(name, ".")
	if !qualified {
		return false
	}
	for ident, object := range v.info.Uses {
		if found, ok := object.(*types.PkgName); ok && ident.Name == before {
			return found.Imported().Complete() && !platform[found.Imported().Path()]
		}
	}
	return false
}

// ours says whether what is selected at pos is sought in a type of this package, which may have methods elsewhere.
func (v view) ours(pos token.Pos) bool {
	ours := true
	ast.Inspect(v.file, func(node ast.Node) bool {
		if found, ok := node.(*ast.SelectorExpr); ok && found.Sel.Pos() == pos {
			ours = declaredIn(v.pkg, v.info.TypeOf(found.X))
		}
		return node != nil && node.Pos() <= pos && pos <= node.End()
	})
	return ours
}

func declaredIn(pkg *types.Package, kind types.Type) bool {
	if kind == nil {
		return true
	}
	switch found := types.Unalias(pointed(kind)).(type) {
	case *types.Named:
		return found.Obj().Pkg() == pkg
	case *types.Basic:
		return false
	}
	return true // a struct may embed, a type parameter be bound by, what has methods elsewhere
}

// unknown returns the first name inside whose object, or a part of its type, could not be known.
func (v view) unknown(inside span) token.Pos {
	first := token.NoPos
	ast.Inspect(v.file, func(node ast.Node) bool {
		if node == nil || first.IsValid() || !inside.meets(node) {
			return false
		}
		if name, ok := node.(*ast.Ident); ok && inside.holds(name.Pos()) && v.isUnknown(name) {
			first = name.Pos()
		}
		return true
	})
	return first
}

func (v view) isUnknown(name *ast.Ident) bool {
	object := v.info.ObjectOf(name)
	if object == nil {
		return false // an error says so, or it is a label, or the name of a type switch
	}
	switch found := object.(type) {
	case *types.PkgName:
		return !found.Imported().Complete()
	case *types.Builtin, *types.Label:
		return false // they have no type, and that is written as an invalid one
	}
	return object.Type() != nil && (v.isIncomplete(object.Type()) || v.isIncomplete(pointed(object.Type()).Underlying()))
}

func pointed(kind types.Type) types.Type {
	if pointer, ok := kind.Underlying().(*types.Pointer); ok {
		return pointer.Elem()
	}
	return kind
}

// isIncomplete asks for the written form of a type, which names the types that it is made of and does not follow them.
func (v view) isIncomplete(kind types.Type) bool {
	known, ok := v.incomplete[kind]
	if !ok {
		known = strings.Contains(types.TypeString(kind, nil), "invalid type")
		v.incomplete[kind] = known
	}
	return known
}
