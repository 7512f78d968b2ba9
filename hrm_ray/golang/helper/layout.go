package main

import (
	"go/ast"
	"go/parser"
	"go/token"
)

// layout says where the parts of a file are, in bytes. One that does not parse has none: Offset and Message say what is
// wrong first.
type layout struct {
	Valid   bool   `json:"valid"`
	Offset  int    `json:"offset"`
	Message string `json:"message"`
	// Head is where the package clause and the imports end.
	Head  int    `json:"head"`
	Parts []part `json:"parts"`
}

// part is a top-level declaration that is no import. A method's receiver is the name of its type. Body is where a
// function's begins, or 0.
type part struct {
	Kind     string   `json:"kind"`
	Start    int      `json:"start"`
	End      int      `json:"end"`
	Body     int      `json:"body"`
	Receiver string   `json:"receiver"`
	Names    []string `json:"names"`
}

// layouts reads each file on its own: what one of them declares is not looked up in another.
func layouts(sources []string) []layout {
	found := make([]layout, len(sources))
	for at, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.SkipObjectResolution)
		if err == nil {
			found[at] = laidOut(file)
		} else {
			wrong := refused(err)
			found[at] = layout{Offset: wrong.Offset, Message: wrong.Message}
		}
	}
	return found
}

func laidOut(file *ast.File) layout {
	found := layout{Valid: true, Head: offset(file, file.Name.End()), Parts: []part{}}
	for _, declaration := range file.Decls {
		one := part{Start: offset(file, declaration.Pos()), End: offset(file, declaration.End())}
		switch declared := declaration.(type) {
		case *ast.FuncDecl:
			one.function(file, declared)
		case *ast.GenDecl:
			if declared.Tok == token.IMPORT {
				found.Head = one.End
				continue
			}
			one.group(declared)
		}
		found.Parts = append(found.Parts, one)
	}
	return found
}

func (p *part) function(file *ast.File, declared *ast.FuncDecl) {
	p.Kind, p.Names = "function", []string{declared.Name.Name}
	if declared.Recv != nil {
		p.Kind, p.Receiver = "method", receiver(declared.Recv)
	}
	if declared.Body != nil {
		p.Body = offset(file, declared.Body.Pos())
	}
}

func (p *part) group(declared *ast.GenDecl) {
	p.Kind, p.Names = declared.Tok.String(), []string{}
	for _, spec := range declared.Specs {
		switch one := spec.(type) {
		case *ast.TypeSpec:
			p.Names = append(p.Names, one.Name.Name)
		case *ast.ValueSpec:
			for _, name := range one.Names {
				p.Names = append(p.Names, name.Name)
			}
		}
	}
}

// receiver returns the name of the type that a method is of, without its package, pointer and type parameters.
func receiver(list *ast.FieldList) string {
	if len(list.List) == 0 {
		return "_"
	}
	expression := list.List[0].Type
	for {
		switch one := expression.(type) {
		case *ast.Ident:
			return one.Name
		case *ast.StarExpr:
			expression = one.X
		case *ast.ParenExpr:
			expression = one.X
		case *ast.IndexExpr:
			expression = one.X
		case *ast.IndexListExpr:
			expression = one.X
		case *ast.SelectorExpr:
			return one.Sel.Name
		default:
			return "_"
		}
	}
}

func offset(file *ast.File, pos token.Pos) int { return int(pos - file.FileStart) }
