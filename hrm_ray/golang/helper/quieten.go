package main

import (
	"go/ast"
	"go/token"
)

// quieten empties the bodies of the functions outside a span that do not name what it declares: nothing inside can make
// them wrong. Of a type they may speak without its name, so then all stay.
func quieten(file *ast.File, inside span) {
	names := map[string]bool{}
	for _, declaration := range file.Decls {
		if inside.meets(declaration) && !collect(declaration, names) {
			return
		}
	}
	for _, declaration := range file.Decls {
		found, ok := declaration.(*ast.FuncDecl)
		if ok && found.Body != nil && !inside.meets(found) && !mentions(found.Body, names) {
			found.Body.List = []ast.Stmt{&ast.ForStmt{For: found.Body.Lbrace, Body: &ast.BlockStmt{}}} // returns nothing
		}
	}
}

// collect adds the names that a declaration introduces; false for types.
func collect(declaration ast.Decl, names map[string]bool) bool {
	switch found := declaration.(type) {
	case *ast.FuncDecl:
		names[found.Name.Name] = true
	case *ast.GenDecl:
		if found.Tok == token.TYPE {
			return false
		}
		for _, spec := range found.Specs {
			if values, ok := spec.(*ast.ValueSpec); ok {
				for _, name := range values.Names {
					names[name.Name] = true
				}
			}
		}
	}
	return true
}

func mentions(body *ast.BlockStmt, names map[string]bool) bool {
	found := false
	ast.Inspect(body, func(node ast.Node) bool {
		if name, ok := node.(*ast.Ident); ok && names[name.Name] {
			found = true
		}
		return !found
	})
	return found
}
